import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { amountScale } from '../../../shared/currencies.js';
import { sql } from '../../../shared/database/sql.js';
import { lower, priceOf } from '../../../shared/money.js';
import type { RowKey } from '../../row-key.js';
import { reducePendingRefund } from './change-refunds.js';

/**
 * The units of lines that a refund has which has not failed: one that was cancelled need not return what the
 * customer has already. In a transaction that holds the lock of the payment.
 *
 * @returns id of a line → units
 */
export async function readRefundedUnits(
  em: EntityManager,
  customerId: string,
  itemIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ id: string; units: number }>(
    em,
    `select l.order_item_id as id, sum(l.quantity - l.replaced)::int as units
     from refund_line l join refund r on r.customer_id = l.customer_id and r.id = l.refund_id
     where l.customer_id = $1 and l.order_item_id = any($2::uuid[]) and r.status <> 'FAILED' group by 1`,
    [customerId, itemIds],
  );
  return new Map(rows.map(({ id, units }) => [id, units]));
}

/**
 * Marks units of failed refunds as replaced by those of a new one: a retry does not return them. In a transaction
 * that holds the lock of the payment.
 */
export async function replaceFailedUnits(
  em: EntityManager,
  customerId: string,
  lines: readonly { readonly orderItemId: string; readonly quantity: number }[],
): Promise<void> {
  if (lines.length === 0) return;
  const itemIds = lines.map(({ orderItemId }) => orderItemId);
  await sql(em, replaceSql, [customerId, itemIds, lines.map(({ quantity }) => quantity)]);
}

// The oldest failed refunds first: each takes what those before it have left of the new units.
const replaceSql = `
  with new_line as (
    select * from unnest($2::uuid[], $3::int[]) as line (order_item_id, quantity)
  ), failed as (
    select l.refund_id, l.order_item_id, l.quantity - l.replaced as open,
      coalesce(sum(l.quantity - l.replaced) over (partition by l.order_item_id order by l.refund_id
        rows between unbounded preceding and 1 preceding), 0) as before
    from refund_line l join refund r on r.customer_id = l.customer_id and r.id = l.refund_id
    where l.customer_id = $1 and r.status = 'FAILED' and l.order_item_id in (select order_item_id from new_line)
  )
  update refund_line l set replaced = l.replaced + least(f.open, greatest(0, n.quantity - f.before))
  from failed f join new_line n using (order_item_id)
  where l.customer_id = $1 and l.refund_id = f.refund_id and l.order_item_id = f.order_item_id`;

/**
 * Takes the replaced units from a refund that is retried, and their price from its amount: nothing is returned
 * twice. In a transaction that holds the lock of the payment, of a PENDING refund.
 */
export async function dropReplacedUnits(
  em: EntityManager,
  payment: RowKey,
  refundId: string,
): Promise<void> {
  const values = [payment.customerId, refundId];
  const dropped = await sql<{ unitPrice: string; quantity: number }>(em, dropSql, values);
  const price = priceOf(dropped);
  if (new Big(price).eq(0)) return;
  const [refund] = await sql<{ amount: string }>(
    em,
    'select amount from refund where customer_id = $1 and id = $2',
    values,
  );
  const amount = refund?.amount as string;
  const byRefund = lower(new Big(price), new Big(amount)).toFixed(amountScale);
  await reducePendingRefund(em, payment, { id: refundId, amount, byDispute: '0', byRefund });
}

const dropSql = `
  with own as (
    select l.order_item_id, l.quantity, l.replaced, i.unit_price_amount as price
    from refund_line l
      join order_item i on i.customer_id = l.customer_id and i.id = l.order_item_id
    where l.customer_id = $1 and l.refund_id = $2 and l.replaced > 0
  ), emptied as (
    delete from refund_line l using own where l.customer_id = $1 and l.refund_id = $2
      and l.order_item_id = own.order_item_id and own.replaced = own.quantity
  ), reduced as (
    update refund_line l set quantity = l.quantity - l.replaced, replaced = 0
    from own where l.customer_id = $1 and l.refund_id = $2 and l.order_item_id = own.order_item_id
      and own.replaced < own.quantity
  )
  select price as "unitPrice", replaced as quantity from own`;
