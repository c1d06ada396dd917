import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import { amountText, sumOf } from '../../../shared/money.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { recordEvents } from '../../order/order-event.js';
import type { RowKey } from '../../row-key.js';
import type { ProviderRefund, ProviderRefundStatus } from '../provider/payment-provider.js';
import { changeRefunds, setRefundedStatus } from '../state/change-refunds.js';
import {
  coverRefunds,
  type NewDashboardRefunds,
  readCoveredByRefunds,
} from '../state/cover-refunds.js';
import type { RefundStatus } from '../state/status.js';

interface RefundRow {
  readonly id: string;
  readonly status: RefundStatus;
  readonly providerRefundId: string | null;
}

/** A payment, and the order that it is for. */
export interface PaymentOfOrder extends RowKey {
  readonly orderId: string;
}

/** Our status of a refund that the provider reports. */
export const refundStatusOf: Readonly<
  Record<ProviderRefundStatus, 'SENT' | 'COMPLETED' | 'FAILED'>
> = {
  pending: 'SENT',
  succeeded: 'COMPLETED',
  failed: 'FAILED',
};

/**
 * Applies what the provider knows of the refunds of a payment. One that was made at the provider's
 * dashboard becomes a refund of the payment as a whole: it counts as refunded, and changes nothing else. In a
 * transaction that holds the lock of the payment.
 *
 * @returns those that were made at the dashboard and not known before: for `coverBlockedRefunds`, once the
 *   disputes are applied too
 */
export async function applyProviderRefunds(
  em: EntityManager,
  payment: PaymentOfOrder,
  reported: readonly ProviderRefund[],
  logger: Logger,
): Promise<NewDashboardRefunds> {
  if (reported.length === 0) return { amount: '0', coveredBefore: '0' };
  const coveredBefore = await readCoveredByRefunds(em, payment);
  const rows = await sql<RefundRow>(
    em,
    `select id, status, provider_refund_id as "providerRefundId" from refund
     where customer_id = $1 and payment_id = $2`,
    [payment.customerId, payment.id],
  );
  const made: string[] = [];
  for (const refund of reported) {
    const row = rowOf(refund, rows);
    if (row) await applyToRow(em, payment, row, refund, logger);
    // A failed one is a former attempt of a refund that was retried.
    else if (refund.status !== 'failed') {
      await insertFromDashboard(em, payment, refund, logger);
      made.push(refund.amount);
    }
  }
  await coverRefunds(em, payment);
  return { amount: sumOf(made), coveredBefore };
}

/** By the provider's id; or by ours, for one whose answer was lost. */
const rowOf = (refund: ProviderRefund, rows: readonly RefundRow[]) =>
  rows.find(({ providerRefundId }) => providerRefundId === refund.id) ??
  rows.find(({ id, status, providerRefundId }) => {
    if (id !== refund.refundId || refund.status === 'failed') return false;
    // COMPLETED: before the provider's ids were stored.
    return status === 'PENDING' || (status === 'COMPLETED' && providerRefundId === null);
  });

async function applyToRow(
  em: EntityManager,
  payment: RowKey,
  row: RefundRow,
  { id: providerRefundId, status: reported, reason, amount }: ProviderRefund,
  logger: Logger,
): Promise<void> {
  const to = refundStatusOf[reported];
  let { status } = row;
  // The former attempt of a refund that is retried.
  if (status === 'PENDING' && row.providerRefundId === providerRefundId) return;
  if (row.providerRefundId !== providerRefundId) {
    const adopt = `update refund set provider_refund_id = $3, amount = $4
      where customer_id = $1 and id = $2`;
    await sql(em, adopt, [payment.customerId, row.id, providerRefundId, amount]);
  }
  if (status === to) return;
  if (status === 'PENDING') {
    const sent = { refund: { id: row.id, status }, to: 'SENT' as const, providerRefundId };
    await changeRefunds(em, payment, [sent]);
    status = 'SENT';
  }
  if (to === 'SENT') return;
  if (status === 'SENT' || (status === 'COMPLETED' && to === 'FAILED')) {
    const why = to === 'FAILED' ? (reason ?? 'unknown') : undefined;
    await changeRefunds(em, payment, [{ refund: { id: row.id, status }, to, reason: why }]);
    if (to === 'FAILED') logger.error({ refundId: row.id, reason }, 'refund failed');
    return;
  }
  logger.error({ refundId: row.id, status, reported }, 'provider reported an impossible change');
}

async function insertFromDashboard(
  em: EntityManager,
  payment: PaymentOfOrder,
  { id: providerRefundId, status: reported, amount, currencyCode }: ProviderRefund,
  logger: Logger,
): Promise<void> {
  const { customerId, id: paymentId, orderId } = payment;
  const status = refundStatusOf[reported];
  await sql(
    em,
    `insert into refund
       (customer_id, id, payment_id, amount, reason, status, origin, provider_refund_id)
     values ($1, $2, $3, $4, 'refunded at the provider', $5, 'DASHBOARD', $6)`,
    [customerId, newId(), paymentId, amount, status, providerRefundId],
  );
  const type = status === 'COMPLETED' ? 'REFUND_COMPLETED' : 'REFUND_REQUESTED';
  const reason = `${amountText(amount, currencyCode)}, at the provider`;
  await recordEvents(em, [{ customerId, orderId, type, actor: 'provider', reason }]);
  await setRefundedStatus(em, payment);
  logger.warn({ paymentId, amount, providerRefundId }, 'payment was refunded at the provider');
}
