import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/** The units of one offer that are held or paid for in one sale, to be shipped to one address. */
@Retained({ keptFor: '400 days', since: 'updated_at', index: 'sale_address_updated_at' })
@Entity({ tableName: 'sale_address' })
@Index({ name: 'sale_address_updated_at', properties: ['updatedAt'] })
@Check({ name: 'sale_address_units', expression: 'units >= 0' })
export class SaleAddress {
  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  @PrimaryKey({ type: 'uuid' })
  offerId!: string;

  /** keyed hash of street, zip and country */
  @PrimaryKey({ type: 'varchar', length: 43 })
  address!: string;

  @Property({ type: 'integer' })
  units!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
