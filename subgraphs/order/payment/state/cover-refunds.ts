import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { amountScale } from '../../../shared/currencies.js';
import { sql } from '../../../shared/database/sql.js';
import { reducePendingRefund } from './change-refunds.js';
import { refundableSql } from './refundable.js';

interface Balance {
  /** what can still be refunded, after all live refunds; below 0 if they are too many */
  readonly left: string;
  /** lost in disputes, and not yet set against a refund */
  readonly lost: string;
}

/**
 * Sets money that the customer has already against refunds that were not sent: what the bank paid in a
 * dispute that was lost, and what no longer fits because a person refunded it at the provider. A refund is
 * reduced by that amount, and cancelled once nothing is left of it. In a transaction that holds the lock of
 * the payment.
 */
export async function coverRefunds(em: EntityManager, paymentId: string): Promise<void> {
  const pending = await sql<{ id: string; amount: string }>(
    em,
    `select id, amount from refund where payment_id = $1 and status = 'PENDING' order by id`,
    [paymentId],
  );
  if (pending.length === 0) return;
  const [balance] = await sql<Balance>(
    em,
    `select ${refundableSql('p')} as left,
       (select coalesce(sum(amount), 0) from dispute where payment_id = p.id and status = 'LOST')
       - (select coalesce(sum(covered_by_dispute), 0) from refund where payment_id = p.id) as lost
     from payment p where p.id = $1`,
    [paymentId],
  );
  let lost = atLeast0(new Big(balance?.lost ?? 0));
  let left = new Big(balance?.left ?? 0);
  for (const { id, amount } of pending) {
    const byDispute = lower(lost, new Big(amount));
    lost = lost.minus(byDispute);
    left = left.plus(byDispute);
    const byRefund = lower(atLeast0(left.times(-1)), new Big(amount).minus(byDispute));
    left = left.plus(byRefund);
    if (byDispute.plus(byRefund).eq(0)) continue;
    const covered = {
      byDispute: byDispute.toFixed(amountScale),
      byRefund: byRefund.toFixed(amountScale),
    };
    await reducePendingRefund(em, paymentId, { id, amount, ...covered });
  }
}

const lower = (a: Big, b: Big) => (a.lt(b) ? a : b);
const atLeast0 = (amount: Big) => (amount.lt(0) ? new Big(0) : amount);
