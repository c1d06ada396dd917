import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type EventMessage, event } from '../../contracts/events.js';
import { saleGraceMs } from '../../contracts/reservation.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';

/**
 * The units of a variant that a shop can sell: the sum over its active warehouses, kept by the
 * ledger. Some of them may be set aside for a sale: a fence, not a pile, so that fewer than these may be available.
 */
@Retained({ permanently: 'the stock itself: one row for each SKU of a shop' })
@Entity({ tableName: 'stock_item' })
@Check({ name: 'stock_item_available', expression: 'available >= 0' })
@Check({ name: 'stock_item_set_aside', expression: 'set_aside >= 0' })
@Check({
  name: 'stock_item_sale',
  expression:
    '(sale_id is null) = (set_aside_until is null) and (sale_id is not null or set_aside = 0)',
})
@Index({
  name: 'stock_item_end_due',
  expression:
    'create index stock_item_end_due on stock_item (end_due_at) where end_due_at is not null',
})
export class StockItem implements StockKey {
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'varchar', length: 64, index: 'stock_item_sku' })
  sku!: string;

  @Property({ type: 'integer', default: 0 })
  available!: number;

  /** rises by one with each commit that changes `available` or what is set aside */
  @Property({ type: 'integer', default: 0 })
  version!: number;

  /** the sale that has allocated units of it last; one may be over */
  @Property({ type: 'uuid', nullable: true })
  saleId!: Opt<string> | null;

  /** units that only the sale sells until `setAsideUntil`: allocated, and neither held nor sold */
  @Property({ type: 'integer', default: 0 })
  setAside!: number;

  /** the end of the sale */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  setAsideUntil!: Opt<Date> | null;

  /** the end of the sale, until what becomes available by it is published */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  endDueAt!: Opt<Date> | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({
    type: 'timestamptz',
    length: 3,
    defaultRaw: 'now()',
    onUpdate: () => new Date(),
  })
  updatedAt!: Opt<Date>;
}

interface Fenced {
  readonly available: number;
  readonly setAside: number;
  readonly setAsideUntil: Date | null;
}

/** Units that are set aside at a time by PostgreSQL’s clock: none after the end of the sale. */
export const fenceOf = ({ setAside, setAsideUntil }: Fenced, now: Date): number =>
  setAsideUntil && now < setAsideUntil ? setAside : 0;

/** Units that are sold at the regular price. */
export const regularUnits = (item: Fenced, now: Date): number =>
  Math.max(0, item.available - fenceOf(item, now));

/** Units that a sale can sell, for a while after its end too, as far as there are any. */
export const saleUnits = (item: Fenced & Pick<StockItem, 'saleId'>, saleId: string, now: Date) =>
  isSaleOpen(item, saleId, now) ? Math.min(item.setAside, item.available) : 0;

/** Whether a sale has units of the item set aside, and ended `saleGraceMs` ago at most. */
export const isSaleOpen = (
  { saleId, setAsideUntil }: Pick<StockItem, 'saleId' | 'setAsideUntil'>,
  ofSale: string,
  now: Date,
): boolean =>
  saleId === ofSale &&
  setAsideUntil !== null &&
  now.getTime() <= setAsideUntil.getTime() + saleGraceMs;

/** `fenceOf` in SQL. @param of prefix of the columns, such as `i.` @param now SQL for the time */
export const fenceSql = (of = '', now = 'clock_timestamp()') =>
  `case when ${now} < ${of}set_aside_until then ${of}set_aside else 0 end`;

/** `regularUnits` in SQL. @param of prefix of the columns, such as `i.` @param now SQL for the time */
export const regularUnitsSql = (of = '', now?: string) =>
  `greatest(0, ${of}available - ${fenceSql(of, now)})`;

/** `isSaleOpen` of a sale item `s` in SQL, where `i` is its stock item, if it has one; false without. */
export const saleOpenSql = `coalesce(i.sale_id = s.sale_id
    and clock_timestamp() <= i.set_aside_until + interval '${saleGraceMs} ms', false)`;

/** `saleUnits` of a sale item `s` in SQL, where `i` is its stock item, if it has one. */
export const saleUnitsSql = `case when ${saleOpenSql} then least(i.set_aside, i.available) else 0 end`;

/** The available units of an item. */
export interface SellableUnits {
  /** at the regular price */
  readonly regular: number;
  /** in the sale that has units of it set aside; 0 after its end */
  readonly inSale: number;
}

export const sellableUnits = (item: Fenced, now: Date): SellableUnits => {
  const regular = regularUnits(item, now);
  return { regular, inSale: item.available - regular };
};

/** The event for the product subgraph: whether there are units of an item, not how many. */
export const inStockEvent = (
  { shopId, sku, version }: StockKey & { readonly version: number },
  { regular, inSale }: SellableUnits,
): EventMessage => {
  const ofSale = inSale > 0 && { saleInStock: true };
  return event(
    'warehouse.stock.changed',
    { shopId, sku, inStock: regular > 0, ...ofSale },
    version,
  );
};

/** Whether an item came into stock or ran out, which is when `inStockEvent` is sent. */
export const crossesZero = (before: SellableUnits, after: SellableUnits): boolean =>
  before.regular > 0 !== after.regular > 0 || before.inSale > 0 !== after.inSale > 0;

/** Items with fewer units than are set aside for their sale; from the index `stock_item_end_due`. */
export async function countItemsBelowFence(em: EntityManager): Promise<number> {
  const [row] = await sql<{ count: number }>(
    em,
    `select count(*)::int as count from stock_item
     where end_due_at is not null and available < ${fenceSql()}`,
  );
  return row?.count ?? 0;
}
