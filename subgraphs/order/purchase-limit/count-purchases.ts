import type { EntityManager } from '@mikro-orm/postgresql';
import { stockKeyOf } from '../../contracts/stock-key.js';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { type Counters, lockedCounters, loweredCounters, raisedCounters } from '../counters.js';
import type { PlacingLimit } from '../placing-limit.js';

/** A line of an order, with what a purchase limit depends on. */
export interface PurchaseLine {
  readonly offerId: string;
  readonly shopId: string;
  readonly sku: string;
  readonly quantity: number;
  /** units that one customer may buy; null for no limit */
  readonly purchaseLimit: number | null;
}
/** A line that would exceed the purchase limit of its offer. */
export interface LimitViolation {
  readonly offerId: string;
  /** the sale that limits it; none: the offer itself */
  readonly saleId?: string | null;
  readonly limit: number;
  /** units bought before, in orders that are not cancelled */
  readonly already: number;
}

const purchaseColumns = {
  customer_id: 'uuid',
  shop_id: 'uuid',
  sku: 'text',
  quantity: 'int',
} as const;

const toPurchaseRow = (
  customerId: string,
  { shopId, sku, quantity }: Pick<PurchaseLine, 'shopId' | 'sku' | 'quantity'>,
) => {
  return { customer_id: customerId, shop_id: shopId, sku, quantity };
};

/** Units that customers have bought. Lines without a limit are counted too, for a limit that is set later. */
export const purchases: Counters = {
  table: 'purchase',
  key: ['customer_id', 'shop_id', 'sku'],
};

/** Columns of the units of one offer in an order, in its regular and its sale lines, and of its limits. */
export const offerUnitColumns = {
  customer_id: 'uuid',
  order_id: 'uuid',
  shop_id: 'uuid',
  sku: 'text',
  offer_id: 'uuid',
  quantity: 'int',
  hold_limit: 'int',
  purchase_limit: 'int',
} as const;

/** Units that one customer may buy of an offer. */
export const purchaseLimit: PlacingLimit = {
  rows: { offer_unit: offerUnitColumns },
  locked: 'locked_purchase',
  lock: (after) => lockedCounters(purchases, 'offer_unit', after),
  violations: `
    select order_id, 'PURCHASES', offer_id, null, coalesce(units, 0)::int, purchase_limit
    from offer_unit left join locked_purchase using (customer_id, shop_id, sku)
    where coalesce(units, 0) + quantity > purchase_limit`,
  count: raisedCounters(purchases, 'placed_offer_unit'),
};

/** @returns the violation, if this line exceeds its limit; else nothing */
export function limitViolations(line: PurchaseLine, already: number): LimitViolation[] {
  const { offerId, purchaseLimit: limit, quantity } = line;
  return limit !== null && already + quantity > limit ? [{ offerId, limit, already }] : [];
}

/** The units that a customer has bought of each key, in the order of the keys. */
export async function readPurchases(
  em: EntityManager,
  customerId: string,
  keys: readonly { shopId: string; sku: string }[],
): Promise<number[]> {
  const rows = await sqlPrepared<{ shopId: string; sku: string; units: string }>(
    em,
    `select shop_id as "shopId", sku, units from purchase where customer_id = $1
     and (shop_id, sku) in (select * from unnest($2::uuid[], $3::text[]))`,
    [customerId, keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
  const units = new Map(rows.map((row) => [stockKeyOf(row), Number(row.units)]));
  return keys.map((key) => units.get(stockKeyOf(key)) ?? 0);
}

/** CTEs that subtract `lines`, a query with `customer_id`, `shop_id`, `sku` and `units`, each key once, from purchases. */
export const subtractPurchasesCtes = (lines: string) =>
  loweredCounters(purchases, {
    values: { units: 'greatest(0, c.units - e.units)' },
    by: lines,
  });

/**
 * Subtracts cancelled units from a customer's purchases, in one statement. Call it in the transaction that
 * cancels them: it makes sure that it happens once.
 */
export async function subtractPurchases(
  em: EntityManager,
  customerId: string,
  units: readonly Pick<PurchaseLine, 'shopId' | 'sku' | 'quantity'>[],
): Promise<void> {
  const rows = units.map((line) => toPurchaseRow(customerId, line));
  await sqlPrepared(em, subtractSql, subtractParameters.values({ line: rows }));
}

const subtractParameters = namedParameters({ line: purchaseColumns });
const subtractSql = `
  with ${subtractPurchasesCtes(`
    select customer_id, shop_id, sku, sum(quantity) as units from ${subtractParameters.sql.line}
    group by 1, 2, 3`)}
  select`;
