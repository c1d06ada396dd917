import type { Opt } from '@mikro-orm/core';
import { Check, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/** The units that a customer bought of one shop's sku, in all orders that are not cancelled; none for 0. */
@Retained({ permanently: 'limits what a customer buys later; deleted once its units are 0' })
@Entity({ tableName: 'purchase' })
@Check({ name: 'purchase_units', expression: 'units >= 0' })
export class Purchase {
  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @Property({ type: 'bigint' })
  units!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
