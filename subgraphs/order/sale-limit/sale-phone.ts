import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/** A phone number that a customer proved to buy in a sale: no other customer buys with it there. */
@Retained({ keptFor: '400 days', since: 'created_at', index: 'sale_phone_created_at' })
@Entity({ tableName: 'sale_phone' })
@Index({ name: 'sale_phone_created_at', properties: ['createdAt'] })
export class SalePhone {
  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  /** keyed hash of the number in E.164 */
  @PrimaryKey({ type: 'varchar', length: 43 })
  phone!: string;

  @Property({ type: 'uuid' })
  customerId!: string;

  /** the first order that was placed with it */
  @Property({ type: 'uuid' })
  orderId!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}
