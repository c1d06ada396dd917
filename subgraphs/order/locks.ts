import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';
import type { OrderStatus } from './order/status.js';
import type { RowKey } from './row-key.js';

/*
 * Lock order of the order database (docs/adr/0021-order-lock-order.md). A transaction skips what it
 * does not need, and locks no row of an earlier place. Rows that it inserts are its own, so inserts may
 * come in any place:
 *
 * 0. the row of the request’s idempotency key: `Once.begin`;
 * 1. `payment`, `for update`: `lockPayment`; a step of a payment, `for no key update`, by its update
 *    (change-payments.ts), and the end of a pending order by making its payments due (end-pending.ts);
 * 2. `customer_order`, `for no key update`, so that inserts may refer to the order meanwhile:
 *    `lockOrder`, or the guarded update that takes it out of PENDING. Every change of a shop order and its
 *    lines holds the lock of its order, so they need none;
 * 3. counters of limits, each by its key: `customer_hold` (count-holds.ts); then `purchase` (`lockedCounters`); then
 *    `sale_queue` by sale and `sale_ticket` by sale and customer (`lockQueues`, and sale-queue/admission); then
 *    `sale_purchase`, `sale_address` and `sale_phone` (count-sale-units.ts). Whoever changes a `sale_purchase` holds
 *    the `customer_hold` of its customer, unless neither exists yet. A placing statement locks those that exist before
 *    it inserts new ones, in the same order;
 * 4. one `cart`: `lockCart`; then `units_in_carts` by offer: `lockedUnitsInCarts`, and the upsert of
 *    change-cart.ts;
 * 5. `refund`, `dispute`, `outbox`, `order_event`, `idempotency_key`.
 *
 * One exception: the cancellation or refund of a paid order locks the order, then its payment, to insert
 * the refund. That is no cycle: such a payment is COMPLETED or REFUNDED, and a transaction that locks such a
 * payment locks no order after it.
 *
 * Workers claim due payments, refunds and idle carts with `skip locked`. No lock is held during a call
 * to another service or the payment provider.
 */

/** Locks a payment. */
export async function lockPayment(em: EntityManager, { customerId, id }: RowKey): Promise<void> {
  const lock = 'select 1 from payment where customer_id = $1 and id = $2 for update';
  await sql(em, lock, [customerId, id]);
}

/** A shop order, read under the lock of its order’s row. */
export interface LockedShopOrder {
  readonly id: string;
  readonly shopId: string;
  readonly status: OrderStatus;
}
export interface LockedOrder extends RowKey {
  readonly status: OrderStatus;
  readonly shopOrders: readonly LockedShopOrder[];
}

/**
 * Locks an order and reads its shop orders. Every change of a shop order takes this lock, so that two
 * concurrent changes cannot both derive the order’s status from old values.
 */
export async function lockOrder(
  em: EntityManager,
  { customerId, id }: RowKey,
): Promise<LockedOrder> {
  const [order] = await sql<Omit<LockedOrder, 'shopOrders'>>(
    em,
    `select id, customer_id as "customerId", status from customer_order
     where customer_id = $1 and id = $2 for no key update`,
    [customerId, id],
  );
  if (!order) throw new Error(`unknown order ${id}`);
  const shopOrders = await sql<LockedShopOrder>(
    em,
    `select id, shop_id as "shopId", status from shop_order
     where customer_id = $1 and order_id = $2 order by id`,
    [customerId, id],
  );
  return { ...order, shopOrders };
}

interface LockedCart {
  readonly shard: number;
  /** whether the counters included its units before */
  readonly counted: boolean;
}

/** Locks a cart, creates it if there is none, and updates its time of change. */
export async function lockCart(
  em: EntityManager,
  customerId: string,
  shard: number,
): Promise<LockedCart> {
  const rows = await sql<LockedCart>(
    em,
    `insert into cart (customer_id, shard) values ($1, $2)
     on conflict (customer_id) do update set updated_at = now() returning shard, counted`,
    [customerId, shard],
  );
  return rows[0] as LockedCart;
}

/**
 * A CTE that locks the counters of units in carts of other rows, with the units of these rows.
 *
 * @param of a CTE with `offer_id`, `shard` and `units`
 */
export const lockedUnitsInCarts = (of: string) => `locked as materialized (
    select u.offer_id, u.shard, ${of}.units
    from units_in_carts u join ${of} using (offer_id, shard)
    order by u.offer_id, u.shard for update of u
  )`;
