import type { Opt } from '@mikro-orm/core';
import { Check, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { type EventMessage, event } from '../../contracts/events.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { Retained } from '../../shared/database/retention.js';

/**
 * The units of a variant that a shop can sell: the sum over its active warehouses, kept by the
 * ledger.
 */
@Retained({ permanently: 'the stock itself: one row for each SKU of a shop' })
@Entity({ tableName: 'stock_item' })
@Check({ name: 'stock_item_available', expression: 'available >= 0' })
export class StockItem implements StockKey {
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'varchar', length: 64, index: 'stock_item_sku' })
  sku!: string;

  @Property({ type: 'integer', default: 0 })
  available!: number;

  /** rises by one with each commit that changes `available` */
  @Property({ type: 'integer', default: 0 })
  version!: number;

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

type ItemVersion = StockKey & { readonly available: number; readonly version: number };

/** The event for the product subgraph: whether the item is in stock, not how many units. */
export const inStockEvent = ({ shopId, sku, available, version }: ItemVersion): EventMessage =>
  event('warehouse.stock.changed', { shopId, sku, inStock: available > 0 }, version);

/** Whether an item came into stock or ran out, which is when `inStockEvent` is sent. */
export const crossesZero = (before: number, after: number): boolean => before > 0 !== after > 0;
