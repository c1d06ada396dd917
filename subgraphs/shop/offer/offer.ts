import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
  Unique,
} from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import { Shop } from '../shop/shop.js';

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({ description: 'One shop’s price for one variant.' })
@Entity({ tableName: 'offer' })
@Unique({ name: 'offer_shop_sku', properties: ['shopId', 'sku'] })
@Index({ name: 'offer_sku_price', properties: ['sku', 'priceAmount'] })
@Index({ name: 'offer_price', properties: ['priceAmount'] })
@Check({ name: 'offer_price_not_negative', expression: 'price_amount >= 0' })
export class Offer {
  @Field(() => UUID, { description: 'The id of the offer.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => Shop, { mapToPk: true, fieldName: 'shop_id', index: false })
  shopId!: string;

  @Property({ type: 'varchar', length: 64 })
  sku!: string;

  /** of the product and its variant, for what is ordered and searched */
  @Property({ type: 'varchar', length: 520 })
  name!: string;

  @Property({ type: 'numeric', precision: 12, scale: 2 })
  priceAmount!: string;

  @Property({ type: 'char', length: 3 })
  currencyCode!: string;

  @Field(() => Boolean, { description: 'Whether it can be bought.' })
  @Property({ type: 'boolean', default: true })
  active!: boolean;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}
