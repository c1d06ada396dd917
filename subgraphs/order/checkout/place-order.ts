import type { EntityManager } from '@mikro-orm/postgresql';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { sql, sqlPrepared } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { type NewOrder, saleOf, toOrderRows, unitsIn } from './new-order.js';
import {
  countSql,
  countWithSalesSql,
  insertSql,
  undoSql,
  undoWithSalesSql,
} from './placing-sql.js';

/** What limits the orders of customers, in or outside a sale. */
export interface PlacingLimits {
  /** PENDING orders of one customer */
  readonly openOrdersMax: number;
  /** units of one offer in them; an offer may allow more */
  readonly openUnitsMax: number;
  /** for how many customers the limit of a sale is allowed at one address */
  readonly addressBuyersMax: number;
}

/** A limit that an order would exceed. */
export interface Violation {
  readonly kind:
    | 'OPEN_ORDERS'
    | 'OPEN_UNITS'
    | 'PURCHASES'
    | 'SALE_PURCHASES'
    | 'EXPIRED_ORDERS'
    | 'ADDRESS'
    | 'PHONE';
  readonly offerId: string | null;
  readonly saleId: string | null;
  /** without this order */
  readonly counted: number;
  readonly limit: number;
}

export type Placing =
  /** @property inCart whether any line was in the customer’s cart */
  | { readonly state: 'placed'; readonly inCart: boolean }
  /** an earlier attempt placed it */
  | { readonly state: 'exists' }
  /** nothing was written */
  | { readonly state: 'refused'; readonly violations: readonly Violation[] }
  /** its offers were read too long ago: they must be read again */
  | { readonly state: 'stale' }
  /** another order of the group has one of its counters: it is to be placed with the next group */
  | { readonly state: 'next' };

/** A decision of shop about an offer with a sale holds for an order that is placed within this time. */
const decisionMaxMs = 5000;

/**
 * Places orders as PENDING, with their shop orders and lines, and counts what they hold and buy, in one transaction.
 * An order that exceeds a limit is left out, without an effect on the others. Nothing is reserved yet.
 *
 * The first statement raises the counters, which locks them, and returns the limits that are exceeded then; the second
 * inserts the orders that exceed none. What others had counted is subtracted again. Of orders that share a counter, only
 * the first is placed.
 */
export async function placeOrders(
  em: EntityManager,
  orders: readonly NewOrder[],
  limits: PlacingLimits,
): Promise<Placing[]> {
  const isFirst = firstOfCounters();
  const outcomes = orders.map((order): Placing | null => {
    if (isStale(order)) return { state: 'stale' };
    return isFirst(order) ? null : { state: 'next' };
  });
  const chosen = orders.filter((_, n) => outcomes[n] === null);
  const placed = chosen.length > 0 ? await placeChosen(em, chosen, limits) : [];
  return outcomes.map((outcome) => outcome ?? (placed.shift() as Placing));
}

const isStale = ({ lines }: NewOrder) =>
  lines.some(
    ({ offer }) =>
      offer.sale &&
      offer.readAtMs !== undefined &&
      performance.now() - offer.readAtMs > decisionMaxMs,
  );

/** @returns whether an order is the first one with its counters, for orders in turn */
function firstOfCounters(): (order: NewOrder) => boolean {
  const taken = new Set<string>();
  return ({ customerId, buyer }) => {
    const keys = [customerId, buyer?.address, buyer?.phone].filter(
      (key) => typeof key === 'string',
    );
    if (keys.some((key) => taken.has(key))) return false;
    for (const key of keys) taken.add(key);
    return true;
  };
}

type ViolationOfOrder = Violation & { readonly orderId: string };

async function placeChosen(
  em: EntityManager,
  orders: readonly NewOrder[],
  limits: PlacingLimits,
): Promise<Placing[]> {
  try {
    return await transact(em, (tx) => countAndInsert(tx, orders, limits));
  } catch (error) {
    // Of several orders each is repeated alone.
    if (orders.length > 1 || !isUniqueViolation(error, 'customer_order_pkey')) throw error;
    return [{ state: 'exists' }];
  }
}

async function countAndInsert(
  tx: EntityManager,
  orders: readonly NewOrder[],
  limits: PlacingLimits,
): Promise<Placing[]> {
  const counted = countedRows(orders, limits);
  const count = counted.sale_unit.length > 0 ? countWithSalesSql : countSql;
  const found = await sqlPrepared<ViolationOfOrder>(
    tx,
    count.text,
    count.parameters.values({ ...counted, open_orders_max: limits.openOrdersMax }),
  );
  const violations = Map.groupBy(found, ({ orderId }) => orderId);
  const refused = orders.filter(({ id }) => violations.has(id));
  const existing = await undo(tx, refused, limits);
  const inCart = await insert(
    tx,
    orders.filter(({ id }) => !violations.has(id)),
  );
  return orders.map(({ id }): Placing => {
    const exceeded = violations.get(id);
    if (!exceeded) return { state: 'placed', inCart: inCart.has(id) };
    if (existing.has(id)) return { state: 'exists' };
    return { state: 'refused', violations: exceeded.map(({ orderId: _, ...each }) => each) };
  });
}

/** Subtracts what orders had counted. @returns those that an earlier attempt placed: what they hold counts already */
async function undo(
  tx: EntityManager,
  orders: readonly NewOrder[],
  limits: PlacingLimits,
): Promise<ReadonlySet<string>> {
  if (orders.length === 0) return new Set();
  const counted = countedRows(orders, limits);
  const { text, parameters } = counted.sale_unit.length > 0 ? undoWithSalesSql : undoSql;
  await sqlPrepared(tx, text, parameters.values(counted));
  const rows = await sql<{ id: string }>(
    tx,
    `select o.id from unnest($1::uuid[], $2::uuid[]) as n (customer_id, id)
       join customer_order o using (customer_id, id)`,
    [orders.map(({ customerId }) => customerId), orders.map(({ id }) => id)],
  );
  return new Set(rows.map(({ id }) => id));
}

/** @returns the orders with a line that was in the customer’s cart */
async function insert(
  tx: EntityManager,
  orders: readonly NewOrder[],
): Promise<ReadonlySet<string>> {
  if (orders.length === 0) return new Set();
  const rows = await sqlPrepared<{ id: string; inCart: boolean }>(
    tx,
    insertSql.text,
    insertSql.parameters.values(toOrderRows(orders)),
  );
  return new Set(rows.flatMap(({ id, inCart }) => (inCart ? [id] : [])));
}

/** The rows that the counters are raised by. */
function countedRows(orders: readonly NewOrder[], limits: PlacingLimits) {
  const units = orders.flatMap((order) =>
    [...Map.groupBy(order.lines, ({ offer }) => offer.id)].map(([offerId, lines]) => {
      const { shopId, sku, holdLimit, purchaseLimit } = (lines[0] as NewOrder['lines'][0]).offer;
      return {
        customer_id: order.customerId,
        order_id: order.id,
        shop_id: shopId,
        sku,
        offer_id: offerId,
        quantity: unitsIn(lines),
        hold_limit: Math.max(limits.openUnitsMax, holdLimit ?? 0),
        purchase_limit: purchaseLimit,
      };
    }),
  );
  const byOrder = Map.groupBy(units, (unit) => unit.order_id);
  return {
    hold: orders.map(({ customerId, id }) => ({
      customer_id: customerId,
      order_id: id,
      units: Object.fromEntries(
        (byOrder.get(id) ?? []).map(({ offer_id, quantity }) => [offer_id, quantity]),
      ),
    })),
    offer_unit: units,
    sale_unit: orders.flatMap((order) => saleUnitsOf(order, limits)),
    sale_phone_claim: orders.flatMap(phoneClaimsOf),
  };
}

const intMax = 2_147_483_647;

const saleUnitsOf = ({ customerId, id, lines, buyer }: NewOrder, limits: PlacingLimits) =>
  lines.flatMap((line) => {
    const sale = saleOf(line);
    if (!sale) return [];
    const limit = sale.limitPerCustomer;
    return {
      customer_id: customerId,
      order_id: id,
      sale_id: sale.id,
      offer_id: line.offer.id,
      quantity: line.quantity,
      limit_per_customer: limit,
      address: buyer?.address ?? null,
      address_limit: limit === null ? null : Math.min(limit * limits.addressBuyersMax, intMax),
    };
  });

function phoneClaimsOf({ customerId, id, lines, buyer }: NewOrder) {
  const phone = buyer?.phone;
  if (!phone) return [];
  const sales = lines.map(saleOf).filter((sale) => sale?.eligibility === 'PROVEN_PHONE');
  return [...new Set(sales.map((sale) => sale?.id))].map((saleId) => {
    return { sale_id: saleId, phone, customer_id: customerId, order_id: id };
  });
}
