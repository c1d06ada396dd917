import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import { amountText, sumOf } from '../../../shared/money.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { recordEvents } from '../../order/order-event.js';
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
  payment: { readonly id: string; readonly orderId: string },
  reported: readonly ProviderRefund[],
  logger: Logger,
): Promise<NewDashboardRefunds> {
  if (reported.length === 0) return { amount: '0', coveredBefore: '0' };
  const coveredBefore = await readCoveredByRefunds(em, payment.id);
  const rows = await sql<RefundRow>(
    em,
    `select id, status, provider_refund_id as "providerRefundId" from refund where payment_id = $1`,
    [payment.id],
  );
  const made: string[] = [];
  for (const refund of reported) {
    const row = rowOf(refund, rows);
    if (row) await applyToRow(em, payment.id, row, refund, logger);
    // A failed one is a former attempt of a refund that was retried.
    else if (refund.status !== 'failed') {
      await insertFromDashboard(em, payment, refund, logger);
      made.push(refund.amount);
    }
  }
  await coverRefunds(em, payment.id);
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
  paymentId: string,
  row: RefundRow,
  { id: providerRefundId, status: reported, reason, amount }: ProviderRefund,
  logger: Logger,
): Promise<void> {
  const to = refundStatusOf[reported];
  let { status } = row;
  // The former attempt of a refund that is retried.
  if (status === 'PENDING' && row.providerRefundId === providerRefundId) return;
  if (row.providerRefundId !== providerRefundId) {
    const adopt = 'update refund set provider_refund_id = $2, amount = $3 where id = $1';
    await sql(em, adopt, [row.id, providerRefundId, amount]);
  }
  if (status === to) return;
  if (status === 'PENDING') {
    const sent = { refund: { id: row.id, status }, to: 'SENT' as const, providerRefundId };
    await changeRefunds(em, paymentId, [sent]);
    status = 'SENT';
  }
  if (to === 'SENT') return;
  if (status === 'SENT' || (status === 'COMPLETED' && to === 'FAILED')) {
    const why = to === 'FAILED' ? (reason ?? 'unknown') : undefined;
    await changeRefunds(em, paymentId, [{ refund: { id: row.id, status }, to, reason: why }]);
    if (to === 'FAILED') logger.error({ refundId: row.id, reason }, 'refund failed');
    return;
  }
  logger.error({ refundId: row.id, status, reported }, 'provider reported an impossible change');
}

async function insertFromDashboard(
  em: EntityManager,
  { id: paymentId, orderId }: { readonly id: string; readonly orderId: string },
  { id: providerRefundId, status: reported, amount, currencyCode }: ProviderRefund,
  logger: Logger,
): Promise<void> {
  const status = refundStatusOf[reported];
  await sql(
    em,
    `insert into refund (id, payment_id, amount, reason, status, origin, provider_refund_id)
     values ($1, $2, $3, 'refunded at the provider', $4, 'DASHBOARD', $5)`,
    [newId(), paymentId, amount, status, providerRefundId],
  );
  const type = status === 'COMPLETED' ? 'REFUND_COMPLETED' : 'REFUND_REQUESTED';
  const reason = `${amountText(amount, currencyCode)}, at the provider`;
  await recordEvents(em, [{ orderId, type, actor: 'provider', reason }]);
  await setRefundedStatus(em, paymentId);
  logger.warn({ paymentId, amount, providerRefundId }, 'payment was refunded at the provider');
}
