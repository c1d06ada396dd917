import type { EntityManager } from '@mikro-orm/postgresql';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { sql, sqlPrepared } from '../../shared/database/sql.js';
import { runStatement } from '../../shared/database/transact.js';
import { tryAgain } from '../../shared/errors.js';
import { type NewOrder, saleOf, toOrderRows, unitsIn } from './new-order.js';
import { counterKeys, placingStatement } from './placing-sql.js';

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
    | 'PHONE'
    /** `counted` holds expired: after `limit` of them the customer goes to the end of the queue */
    | 'NOT_ADMITTED';
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

/** Others may create a counter that a statement needs, while it runs: then it is run again, so many times. */
const attemptsMax = 5;

/**
 * Places orders as PENDING, with their shop orders and lines, and counts what they hold and buy, in one statement.
 * An order that would exceed a limit is left out, without an effect on the others. Of orders that share a counter, only
 * the first is placed. Nothing is reserved yet.
 *
 * @throws OutcomeUnknown; `TRY_AGAIN`; of several orders also a unique violation if one of them exists: each is to be
 *   repeated alone
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

async function placeChosen(
  em: EntityManager,
  orders: readonly NewOrder[],
  limits: PlacingLimits,
): Promise<Placing[]> {
  for (let n = 0; n < attemptsMax; n++) {
    try {
      return await placePassing(em, orders, limits);
    } catch (error) {
      if (orders.length === 1 && isUniqueViolation(error, 'customer_order_pkey'))
        return [{ state: 'exists' }];
      if (!counterKeys.some((key) => isUniqueViolation(error, key))) throw error;
      if (orders.some(isStale)) break;
    }
  }
  throw tryAgain('Too many orders are placed at once. Please retry with the same key.');
}

interface PlacedRow {
  readonly orderId: string;
  readonly inCart: boolean;
}
interface RefusedRow extends Violation {
  readonly orderId: string;
}
type PlacingRow = (PlacedRow & { readonly kind: null }) | RefusedRow;

async function placePassing(
  em: EntityManager,
  orders: readonly NewOrder[],
  limits: PlacingLimits,
): Promise<Placing[]> {
  const { text, values } = placingStatement({
    ...toOrderRows(orders),
    ...countedRows(orders, limits),
  });
  const rows = await runStatement(em, () => sqlPrepared<PlacingRow>(em, text, values));
  const refused = Map.groupBy(rows.filter(isRefused), ({ orderId }) => orderId);
  const existing = await findExisting(
    em,
    orders.filter(({ id }) => refused.has(id)),
  );
  const inCart = new Set(rows.flatMap((row) => (!isRefused(row) && row.inCart ? row.orderId : [])));
  return orders.map(({ id }): Placing => {
    if (existing.has(id)) return { state: 'exists' };
    const violations = refused.get(id)?.map(toViolation);
    return violations
      ? { state: 'refused', violations }
      : { state: 'placed', inCart: inCart.has(id) };
  });
}

const isRefused = (row: PlacingRow): row is RefusedRow => row.kind !== null;

const toViolation = ({ kind, offerId, saleId, counted, limit }: RefusedRow): Violation => {
  return { kind, offerId, saleId, counted, limit };
};

/** @returns which of these orders an earlier attempt placed: a limit counts them already */
async function findExisting(
  em: EntityManager,
  orders: readonly NewOrder[],
): Promise<ReadonlySet<string>> {
  if (orders.length === 0) return new Set();
  const rows = await sql<{ id: string }>(
    em,
    `select o.id from unnest($1::uuid[], $2::uuid[]) as n (customer_id, id)
       join customer_order o using (customer_id, id)`,
    [orders.map(({ customerId }) => customerId), orders.map(({ id }) => id)],
  );
  return new Set(rows.map(({ id }) => id));
}

/** The rows that the limits are checked with, and the counters raised by. */
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
      open_orders_max: limits.openOrdersMax,
    })),
    offer_unit: units,
    sale_unit: orders.flatMap(saleUnitsOf),
    sale_address_unit: orders.flatMap((order) => addressUnitsOf(order, limits)),
    sale_phone_claim: orders.flatMap(phoneClaimsOf),
    sale_pass: orders.flatMap(passesOf),
  };
}

const intMax = 2_147_483_647;

const saleUnitsOf = ({ customerId, id, lines }: NewOrder) =>
  lines.flatMap((line) => {
    const sale = saleOf(line);
    if (!sale) return [];
    return {
      customer_id: customerId,
      order_id: id,
      sale_id: sale.id,
      offer_id: line.offer.id,
      quantity: line.quantity,
      limit_per_customer: sale.limitPerCustomer,
      is_queued: sale.admission === 'QUEUED',
    };
  });

/** The units of sales, by the address to ship to. */
function addressUnitsOf({ id, lines, buyer }: NewOrder, { addressBuyersMax }: PlacingLimits) {
  const address = buyer?.address;
  if (!address) return [];
  return lines.flatMap((line) => {
    const sale = saleOf(line);
    if (!sale) return [];
    const limit = sale.limitPerCustomer;
    return {
      order_id: id,
      sale_id: sale.id,
      offer_id: line.offer.id,
      address,
      quantity: line.quantity,
      address_limit: limit === null ? null : Math.min(limit * addressBuyersMax, intMax),
    };
  });
}

function phoneClaimsOf({ customerId, id, lines, buyer }: NewOrder) {
  const phone = buyer?.phone;
  if (!phone) return [];
  const sales = lines.map(saleOf).filter((sale) => sale?.eligibility === 'PROVEN_PHONE');
  return [...new Set(sales.map((sale) => sale?.id))].map((saleId) => {
    return { sale_id: saleId, phone, customer_id: customerId, order_id: id };
  });
}

/** What an order needs of the queues of its sales. */
function passesOf({ customerId, id, lines }: NewOrder) {
  const sales = lines.flatMap((line) => saleOf(line) ?? []);
  const queued = new Map(
    sales.filter(({ admission }) => admission === 'QUEUED').map((sale) => [sale.id, sale]),
  );
  return [...queued.values()].map(({ id: saleId, admissionMinutes, pausedMs }) => ({
    customer_id: customerId,
    order_id: id,
    sale_id: saleId,
    admission_ms: admissionMinutes * 60_000,
    paused_ms: pausedMs,
  }));
}
