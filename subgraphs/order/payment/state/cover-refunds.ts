import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { amountScale } from '../../../shared/currencies.js';
import { sql } from '../../../shared/database/sql.js';
import { lower } from '../../../shared/money.js';
import type { RowKey } from '../../row-key.js';
import { reducePendingRefund } from './change-refunds.js';
import { refundableSql, requestableOfShopOrderSql } from './refundable.js';

interface Balance {
  /** what can still be refunded, after all live refunds; below 0 if they are too many */
  readonly left: string;
  /** lost in disputes, and not yet set against a refund */
  readonly lost: string;
}

interface PendingRefund {
  readonly id: string;
  readonly amount: string;
  readonly shopOrderId: string | null;
  /** as `left`, of the shop order; null without one */
  readonly leftOfShopOrder: string | null;
}

/**
 * Sets money that the customer has already against refunds that were not sent: what the bank paid in a
 * dispute that was lost, and what no longer fits because of other refunds: those of a person at the provider,
 * and those requested while this one was failed. A refund is reduced by that amount, and cancelled once nothing
 * is left of it. In a transaction that holds the lock of the payment.
 */
export async function coverRefunds(em: EntityManager, payment: RowKey): Promise<void> {
  const { customerId, id: paymentId } = payment;
  const pending = await sql<PendingRefund>(
    em,
    `select r.id, r.amount, r.shop_order_id as "shopOrderId",
       (select ${requestableOfShopOrderSql('s')}::text from shop_order s
        where s.customer_id = r.customer_id and s.id = r.shop_order_id) as "leftOfShopOrder"
     from refund r where r.customer_id = $1 and r.payment_id = $2 and r.status = 'PENDING'
     order by r.id`,
    [customerId, paymentId],
  );
  if (pending.length === 0) return;
  const [balance] = await sql<Balance>(
    em,
    `select ${refundableSql('p')} as left,
       (select coalesce(sum(amount), 0) from dispute
        where customer_id = p.customer_id and payment_id = p.id and status = 'LOST')
       - (select coalesce(sum(covered_by_dispute), 0) from refund
          where customer_id = p.customer_id and payment_id = p.id) as lost
     from payment p where p.customer_id = $1 and p.id = $2`,
    [customerId, paymentId],
  );
  let lost = atLeast0(new Big(balance?.lost ?? 0));
  let left = new Big(balance?.left ?? 0);
  const leftOfShopOrders = new Map<string, Big>();
  for (const { id, amount, shopOrderId, leftOfShopOrder } of pending) {
    const byDispute = lower(lost, new Big(amount));
    lost = lost.minus(byDispute);
    left = left.plus(byDispute);
    const known = leftOfShopOrders.get(shopOrderId ?? '') ?? new Big(leftOfShopOrder ?? 0);
    const tooMuch = atLeast0(lower(left, known).times(-1));
    const byRefund = lower(tooMuch, new Big(amount).minus(byDispute));
    left = left.plus(byRefund);
    if (shopOrderId) leftOfShopOrders.set(shopOrderId, known.plus(byRefund));
    if (byDispute.plus(byRefund).eq(0)) continue;
    const covered = {
      byDispute: byDispute.toFixed(amountScale),
      byRefund: byRefund.toFixed(amountScale),
    };
    await reducePendingRefund(em, payment, { id, amount, ...covered });
  }
}

/** Refunds of a payment that a person made at the provider, as they became known. */
export interface NewDashboardRefunds {
  /** their sum */
  readonly amount: string;
  /** what refunds here need not return because of others, before that */
  readonly coveredBefore: string;
}

/**
 * Sets new refunds of a person at the provider against those that wait here for good, as a dispute of their
 * payment is lost. In a transaction that holds the lock of the payment, after what else covers them.
 */
export async function coverBlockedRefunds(
  em: EntityManager,
  payment: RowKey,
  { amount: refunded, coveredBefore }: NewDashboardRefunds,
): Promise<void> {
  if (new Big(refunded).eq(0)) return;
  const blocked = await sql<{ id: string; amount: string }>(
    em,
    `select r.id, r.amount from refund r
     where r.customer_id = $1 and r.payment_id = $2 and r.status = 'PENDING'
       and exists (select from dispute d
         where d.customer_id = $1 and d.payment_id = $2 and d.status = 'LOST') order by r.id`,
    [payment.customerId, payment.id],
  );
  const coveredSince = new Big(await readCoveredByRefunds(em, payment)).minus(coveredBefore);
  let left = atLeast0(new Big(refunded).minus(coveredSince));
  for (const { id, amount } of blocked) {
    const byRefund = lower(left, new Big(amount));
    left = left.minus(byRefund);
    if (byRefund.eq(0)) return;
    const covered = { byDispute: '0', byRefund: byRefund.toFixed(amountScale) };
    await reducePendingRefund(em, payment, { id, amount, ...covered });
  }
}

/** What the refunds of a payment need not return because of others. */
export async function readCoveredByRefunds(
  em: EntityManager,
  { customerId, id }: RowKey,
): Promise<string> {
  const [row] = await sql<{ covered: string }>(
    em,
    `select coalesce(sum(covered_by_refund), 0) as covered from refund
     where customer_id = $1 and payment_id = $2`,
    [customerId, id],
  );
  return row?.covered as string;
}

const atLeast0 = (amount: Big) => (amount.lt(0) ? new Big(0) : amount);
