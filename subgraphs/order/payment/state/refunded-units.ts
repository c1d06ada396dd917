import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { amountScale } from '../../../shared/currencies.js';
import { sql } from '../../../shared/database/sql.js';
import { lineTotal, lower, sumOf } from '../../../shared/money.js';
import { reducePendingRefund } from './change-refunds.js';

/**
 * The units of lines that a refund has which has not failed: one that was cancelled need not return what the
 * customer has already. In a transaction that holds the lock of the payment.
 *
 * @returns id of a line → units
 */
export async function readRefundedUnits(
  em: EntityManager,
  itemIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ id: string; units: number }>(
    em,
    `select l.order_item_id as id, sum(l.quantity)::int as units
     from refund_line l join refund r on r.id = l.refund_id
     where l.order_item_id = any($1::uuid[]) and r.status <> 'FAILED' group by 1`,
    [itemIds],
  );
  return new Map(rows.map(({ id, units }) => [id, units]));
}

/**
 * Takes the units from a refund that later ones of the same line have, and their price from its amount: they were
 * requested after it failed, so nothing is returned twice. In a transaction that holds the lock of the payment, of a PENDING refund.
 */
export async function dropReturnedUnits(
  em: EntityManager,
  paymentId: string,
  refundId: string,
): Promise<void> {
  const dropped = await sql<{ price: string; units: number }>(em, dropSql, [refundId]);
  const price = sumOf(dropped.map(({ price: unitPrice, units }) => lineTotal(unitPrice, units)));
  if (new Big(price).eq(0)) return;
  const [refund] = await sql<{ amount: string }>(em, 'select amount from refund where id = $1', [
    refundId,
  ]);
  const amount = refund?.amount as string;
  const byRefund = lower(new Big(price), new Big(amount)).toFixed(amountScale);
  await reducePendingRefund(em, paymentId, { id: refundId, amount, byDispute: '0', byRefund });
}

const dropSql = `
  with excess as (
    select own.order_item_id, i.unit_price_amount as price, own.quantity,
      least(own.quantity, coalesce((select sum(l.quantity)
        from refund_line l join refund r on r.id = l.refund_id
        where l.order_item_id = i.id and r.id > $1 and r.status <> 'FAILED'), 0))::int as units
    from refund_line own join order_item i on i.id = own.order_item_id where own.refund_id = $1
  ), emptied as (
    delete from refund_line l using excess e where l.refund_id = $1
      and l.order_item_id = e.order_item_id and e.units = e.quantity
  ), reduced as (
    update refund_line l set quantity = l.quantity - e.units from excess e where l.refund_id = $1
      and l.order_item_id = e.order_item_id and e.units between 1 and e.quantity - 1
  )
  select price, units from excess where units > 0`;
