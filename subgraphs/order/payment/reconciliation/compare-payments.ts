import Big from 'big.js';
import { validate as isUuid } from 'uuid';
import { sql } from '../../../shared/database/sql.js';
import type { ListedPayment, ProviderStatus } from '../provider/payment-provider.js';
import { refundableSql } from '../state/refundable.js';
import type { PaymentStatus } from '../state/status.js';
import {
  type Comparing,
  type Comparison,
  createdInSql,
  type Expected,
  isInProgressSql,
  mayLookUp,
} from './compare-listed.js';
import { type FoundDifference, textOf } from './difference.js';

interface OurPayment {
  readonly id: string;
  readonly status: PaymentStatus;
  readonly amount: string;
  readonly currencyCode: string;
  readonly transactionId: string | null;
  readonly isInProgress: boolean;
  /** whether all of it is refunded, or will be */
  readonly isRefunded: boolean;
}

type ExpectedPayment = Expected & Pick<OurPayment, 'status'>;

/** The statuses here that match a state at the provider. */
const matching: Readonly<Record<ProviderStatus, readonly PaymentStatus[]>> = {
  unconfirmed: ['PENDING', 'FAILED', 'VOIDED'],
  actionRequired: ['PENDING'],
  pending: ['PENDING'],
  authorized: ['AUTHORIZED'],
  captured: ['COMPLETED', 'REFUNDED'],
  declined: ['FAILED', 'VOIDED'],
  canceled: ['FAILED', 'VOIDED'],
};

const expectedSql = `
  select p.id, p.provider_transaction_id as "providerId", p.status
  from payment p
  where ${createdInSql('p')} and p.provider = $5 and p.provider_transaction_id is not null
    and p.status in ('AUTHORIZED', 'COMPLETED', 'REFUNDED') and not ${isInProgressSql('p')}
  order by p.id limit $6`;

export const paymentComparison: Comparison<ListedPayment, ExpectedPayment> = {
  list: (provider, period, send) => provider.listPayments(period, send),
  providerIdOf: ({ transactionId }) => transactionId,
  async compare(comparing, listed) {
    // What has no id of ours was not created here.
    const withOurId = listed.filter(({ paymentId }) => isUuid(paymentId));
    const rows = await readPayments(comparing, withOurId);
    const found: FoundDifference[] = [];
    for (const payment of withOurId) {
      const ours = rows.get(payment.paymentId as string);
      if (ours?.isInProgress) continue;
      if (ours?.transactionId === payment.transactionId) found.push(...differences(payment, ours));
      else found.push(...(await orphan(comparing, payment, ours)));
    }
    return found;
  },
  expectedSql,
  // Some providers know an id that nothing was created for as `unconfirmed`.
  exists: async (provider, { providerId }) =>
    (await provider.lookUp(providerId)).status !== 'unconfirmed',
  missing: ({ id: paymentId, providerId: transactionId, status }) => ({
    kind: 'PAYMENT_MISSING',
    subject: { paymentId, transactionId },
    here: status,
    there: null,
    action: 'REPORT',
  }),
};

async function readPayments(
  { em, provider }: Comparing,
  listed: readonly ListedPayment[],
): Promise<Map<string, OurPayment>> {
  const ids = listed.map(({ paymentId }) => paymentId);
  const rows = await sql<OurPayment>(em, readPaymentsSql, [ids, provider.name]);
  return new Map(rows.map((row) => [row.id, row]));
}

// payment_id, as the provider reports our ids; refund_of_provider and dispute_of_provider.
const readPaymentsSql = `
  select p.id, p.status, p.amount, p.currency_code as "currencyCode",
    p.provider_transaction_id as "transactionId", ${isInProgressSql('p')} as "isInProgress",
    ${refundableSql('p')} <= 0 as "isRefunded"
  from payment p where p.id = any($1::uuid[]) and p.provider = $2`;

function differences(payment: ListedPayment, ours: OurPayment): FoundDifference[] {
  const subject = { paymentId: ours.id, transactionId: payment.transactionId };
  const found: FoundDifference[] = [];
  if (!isMatching(payment, ours)) {
    const states = { here: ours.status, there: payment.status };
    found.push({ kind: 'PAYMENT_STATUS', subject, ...states, action: 'MAKE_DUE' });
  }
  if (payment.currencyCode !== ours.currencyCode || !new Big(payment.amount).eq(ours.amount)) {
    const amounts = { here: textOf(ours), there: textOf(payment) };
    found.push({ kind: 'PAYMENT_AMOUNT', subject, ...amounts, action: 'REPORT' });
  }
  return found;
}

/** One that ended here was captured nevertheless: the worker refunds it, and it keeps its status. */
const isMatching = ({ status }: ListedPayment, ours: OurPayment) =>
  matching[status].includes(ours.status) ||
  (status === 'captured' && matching.canceled.includes(ours.status) && ours.isRefunded);

/**
 * A payment at the provider that belongs to nothing here, as after an answer to its creation that was lost.
 * One that ended without money, or whose money was refunded, is settled.
 */
async function orphan(
  comparing: Comparing,
  payment: ListedPayment,
  ours: OurPayment | undefined,
): Promise<FoundDifference[]> {
  const isCaptured = payment.status === 'captured';
  if (payment.status === 'canceled') return [];
  if (isCaptured && (await isRefundedThere(comparing, payment))) return [];
  const { paymentId, transactionId } = payment;
  return [
    {
      kind: 'PAYMENT_ORPHANED',
      subject: { ...(paymentId !== null && { paymentId }), transactionId },
      here: ours ? `${ours.status} with ${ours.transactionId ?? 'no transaction'}` : null,
      there: `${payment.status} ${textOf(payment)}`,
      action: isCaptured ? 'REPORT' : 'CANCEL',
    },
  ];
}

async function isRefundedThere(
  comparing: Comparing,
  { transactionId, amount }: ListedPayment,
): Promise<boolean> {
  if (!(await mayLookUp(comparing))) return false;
  const { provider, send } = comparing;
  const refunds = await send(() => provider.refundsOf(transactionId));
  const refunded = refunds
    .filter(({ status }) => status !== 'failed')
    .reduce((sum, refund) => sum.plus(refund.amount), new Big(0));
  return refunded.gte(amount);
}
