import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/** The units of one offer that a customer holds or has paid for in one sale. */
@Retained({ keptFor: '400 days', since: 'updated_at', index: 'sale_purchase_updated_at' })
@Entity({ tableName: 'sale_purchase' })
@Index({ name: 'sale_purchase_updated_at', properties: ['updatedAt'] })
@Check({ name: 'sale_purchase_units', expression: 'units >= 0 and expired_orders >= 0' })
export class SalePurchase {
  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  @PrimaryKey({ type: 'uuid' })
  offerId!: string;

  /** in orders that did not end unpaid; a paid unit that is cancelled still counts, as its allocation is used up */
  @Property({ type: 'integer' })
  units!: number;

  /** orders of it that were held and not paid in time */
  @Property({ type: 'integer', default: 0 })
  expiredOrders!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
