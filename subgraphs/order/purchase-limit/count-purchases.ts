import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';

/** A line of what is bought, as far as limits go. */
export interface PurchaseLine {
  readonly offerId: string;
  readonly shopId: string;
  readonly sku: string;
  readonly quantity: number;
  /** how many units one customer may buy; null for any number */
  readonly purchaseLimit: number | null;
}
/** A line with which a customer would have more than the offer's limit. */
export interface LimitViolation {
  readonly offerId: string;
  readonly limit: number;
  /** units bought before, in orders that are not cancelled */
  readonly already: number;
}

/** Thrown to undo the transaction in which a limit was passed. */
export class LimitExceeded extends Error {
  constructor(readonly lines: readonly LimitViolation[]) {
    super('a purchase limit was passed');
  }
}

const keyOf = ({ shopId, sku }: { shopId: string; sku: string }) => `${shopId} ${sku}`;

/** Raises the counters; its four arrays stand from `$first` on: customers, shops, skus, quantities. */
export const countPurchasesSql = (
  first: number,
) => `insert into purchase (customer_id, shop_id, sku, units)
  select customer_id, shop_id, sku, sum(quantity)
  from unnest($${first}::uuid[], $${first + 1}::uuid[], $${first + 2}::text[], $${first + 3}::int[])
    as line (customer_id, shop_id, sku, quantity)
  group by customer_id, shop_id, sku order by customer_id, shop_id, sku
  on conflict (customer_id, shop_id, sku) do update
    set units = purchase.units + excluded.units, updated_at = now()`;

/** The values that `countPurchasesSql` needs. */
export const countPurchasesParams = (
  lines: readonly (PurchaseLine & { readonly customerId: string })[],
): unknown[] => [
  lines.map(({ customerId }) => customerId),
  lines.map(({ shopId }) => shopId),
  lines.map(({ sku }) => sku),
  lines.map(({ quantity }) => quantity),
];

/**
 * Adds an order's lines to what the customer bought, in the transaction of `em`. Lines without a
 * limit count too, so that a limit set later knows them. The counter's row lock makes parallel
 * checkouts wait for one another, in the order of the keys.
 *
 * @throws LimitExceeded for each line that passes its limit; the transaction has to be undone then
 */
export async function countPurchases(
  em: EntityManager,
  customerId: string,
  lines: readonly PurchaseLine[],
): Promise<void> {
  const rows = await sqlPrepared<{ shopId: string; sku: string; units: string }>(
    em,
    `${countPurchasesSql(1)} returning shop_id as "shopId", sku, units`,
    countPurchasesParams(lines.map((line) => ({ customerId, ...line }))),
  );
  const units = new Map(rows.map((row) => [keyOf(row), Number(row.units)]));
  const violations = lines.flatMap((line): LimitViolation[] => {
    const already = (units.get(keyOf(line)) as number) - line.quantity;
    return limitViolations(line, already);
  });
  if (violations.length > 0) throw new LimitExceeded(violations);
}

/** @returns what stands against this line; nothing where it is within its limit */
export function limitViolations(line: PurchaseLine, already: number): LimitViolation[] {
  const { offerId, purchaseLimit: limit, quantity } = line;
  return limit !== null && already + quantity > limit ? [{ offerId, limit, already }] : [];
}

/** How many units a customer has bought of each, in the order of the keys. */
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
  const units = new Map(rows.map((row) => [keyOf(row), Number(row.units)]));
  return keys.map((key) => units.get(keyOf(key)) ?? 0);
}

/**
 * Takes lines out of what their customers bought: those of `orders`, a query with `id` and `customer_id`.
 * The counters are locked in the order of their keys, as in `countPurchasesSql`.
 *
 * @param condition on the shops' parts, `s`
 */
export const subtractPurchasesCtes = (orders: string, condition = 'true') => `line as (
    select o.customer_id, s.shop_id, i.sku, sum(i.quantity) as units
    from ${orders} o join shop_order s on s.order_id = o.id
      join order_item i on i.shop_order_id = s.id
    where ${condition} group by 1, 2, 3
  ), locked as materialized (
    select p.customer_id, p.shop_id, p.sku from purchase p join line using (customer_id, shop_id, sku)
    order by p.customer_id, p.shop_id, p.sku for update of p
  ), given_back as (
    update purchase p set units = p.units - line.units, updated_at = now()
    from line join locked using (customer_id, shop_id, sku)
    where p.customer_id = line.customer_id and p.shop_id = line.shop_id and p.sku = line.sku
  )`;

/**
 * Takes an order's lines out of what its customer bought, in the transaction of `em`: all of them,
 * or those of some shops' parts, in one statement. For whoever cancels the order or the part, in the
 * commit that does, where the guarded change of its status makes it once.
 */
export async function subtractPurchases(
  em: EntityManager,
  orderId: string,
  shopOrderIds: readonly string[] | null = null,
): Promise<void> {
  await sqlPrepared(em, subtractPurchasesSql, [orderId, shopOrderIds]);
}

const subtractPurchasesSql = `
  with one as (select id, customer_id from customer_order where id = $1),
  ${subtractPurchasesCtes('one', '($2::uuid[] is null or s.id = any($2))')}
  select`;
