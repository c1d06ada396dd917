import { z } from 'zod';
import { newId } from '../../../subgraphs/shared/ids.js';
import {
  type DisputeRecord,
  type DisputeStatus,
  disputeTransitions,
  isoTime,
  type PaymentRecord,
} from '../store/records.js';
import type { SandboxStore } from '../store/store.js';
import { requireAmount } from './currencies.js';
import { requirePayment } from './payments.js';
import { Refused, unexpectedState } from './refused.js';

const evidenceMs = 7 * 24 * 3_600_000;

export const disputeInput = z.object({
  disputeId: z.string().min(1).max(64).optional(),
  status: z.enum(['INQUIRY', 'CLOSED', 'OPEN', 'WON', 'LOST']),
  amount: z.string().optional(),
  reason: z.string().min(1).max(100).optional(),
  evidenceDueAt: z.iso.datetime().nullable().optional(),
});
export type DisputeInput = z.infer<typeof disputeInput>;

const isUndecided = (status: DisputeStatus) => disputeTransitions[status].length > 0;

/**
 * Creates a dispute in any state, or changes one: that of `disputeId`, or else the undecided one of the
 * payment. While it is `OPEN` its amount is withdrawn, and reinstated when it is `WON`.
 *
 * @throws Refused 404; 409 unless the payment is captured and the dispute can have the status
 */
export function changeDispute(
  store: SandboxStore,
  paymentId: string,
  input: DisputeInput,
): DisputeRecord {
  const payment = requirePayment(store, paymentId);
  if (payment.status !== 'captured') throw unexpectedState(`the payment is ${payment.status}`);
  const { status } = input;
  const known = findDispute(store, payment, input.disputeId);
  if (known && known.status !== status && !disputeTransitions[known.status].includes(status)) {
    throw unexpectedState(`the dispute is ${known.status}`);
  }
  const base = known ?? newDispute(payment, input.disputeId);
  const { amount = base.amount, reason = base.reason, evidenceDueAt = base.evidenceDueAt } = input;
  const dispute: DisputeRecord = {
    ...base,
    status,
    amount: requireAmount(amount, payment.currencyCode),
    reason,
    evidenceDueAt: evidenceDueAt && isUndecided(status) ? isoTime(Date.parse(evidenceDueAt)) : null,
    fundsWithdrawn: ['OPEN', 'WON', 'LOST'].includes(status),
    fundsReinstated: status === 'WON',
    updatedAt: isoTime(),
  };
  store.write({ dispute });
  return dispute;
}

function findDispute(store: SandboxStore, { id }: PaymentRecord, disputeId: string | undefined) {
  if (!disputeId) return store.disputesOf(id).findLast(({ status }) => isUndecided(status));
  const known = store.disputes.get(disputeId);
  if (!known || known.paymentId === id) return known;
  throw new Refused(400, 'invalid_request', 'the dispute is about another payment');
}

function newDispute({ id: paymentId, amount, currencyCode }: PaymentRecord, disputeId?: string) {
  const createdAt = isoTime();
  return {
    id: disputeId ?? `dp_${newId()}`,
    paymentId,
    amount,
    currencyCode,
    reason: 'fraudulent',
    evidenceDueAt: isoTime(Date.now() + evidenceMs) as string | null,
    createdAt,
  };
}
