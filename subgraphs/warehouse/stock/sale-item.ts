import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { SaleKey } from '../../contracts/sale.js';
import { Retained } from '../../shared/database/retention.js';

/**
 * The units of an item that are allocated to a sale. They are changed under the lock of the item only: held with a
 * reservation, sold when it is paid. Paid units that are cancelled stay sold.
 */
@Retained({ permanently: 'business records: what a sale had, held and sold' })
@Entity({ tableName: 'sale_item' })
@Check({
  name: 'sale_item_allocated',
  expression: 'held >= 0 and sold >= 0 and held + sold <= allocated',
})
@Index({ name: 'sale_item_sale', properties: ['saleId'] })
export class SaleItem implements SaleKey {
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @Property({ type: 'integer' })
  allocated!: number;

  /** for unpaid orders */
  @Property({ type: 'integer', default: 0 })
  held!: number;

  /** never falls */
  @Property({ type: 'integer', default: 0 })
  sold!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
