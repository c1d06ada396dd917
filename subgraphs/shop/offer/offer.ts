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
import { Directive, Field, Int, ObjectType } from 'type-graphql';
import { amountScale } from '../../shared/currencies.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { SearchVectorType } from '../../shared/text/search-vector-type.js';
import { Shop } from '../shop/shop.js';

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({ description: 'One shop’s price for one variant.' })
@Retained({ permanently: 'one for each SKU of a shop; orders refer to those that have ended' })
@Entity({ tableName: 'offer' })
@Unique({ name: 'offer_shop_sku', properties: ['shopId', 'sku'] })
@Index({
  name: 'offer_sku_price',
  expression: 'create index offer_sku_price on offer (sku, price_amount, id) where active',
})
@Index({
  name: 'offer_shop_page',
  expression: 'create index offer_shop_page on offer (shop_id, id) where removed_at is null',
})
@Index({
  name: 'offer_shop_active',
  expression: 'create index offer_shop_active on offer (shop_id, id) where active',
})
@Index({
  name: 'offer_words',
  expression: 'create index offer_words on offer using gin (words) with (fastupdate = off)',
})
@Index({ name: 'offer_variant', properties: ['sku'] })
@Index({ name: 'offer_price', properties: ['priceAmount'] })
@Index({
  name: 'offer_in_sale',
  expression: 'create index offer_in_sale on offer (sku) where sale_id is not null',
})
@Index({
  name: 'offer_of_sale',
  expression: 'create index offer_of_sale on offer (sale_id) where sale_id is not null',
})
@Check({ name: 'offer_hold_limit_positive', expression: 'hold_limit > 0' })
@Check({ name: 'offer_price_not_negative', expression: 'price_amount >= 0' })
@Check({ name: 'offer_compare_at_above_price', expression: 'compare_at_amount > price_amount' })
@Check({ name: 'offer_purchase_limit_positive', expression: 'purchase_limit > 0' })
@Check({ name: 'offer_removed_inactive', expression: 'removed_at is null or not active' })
export class Offer {
  @Field(() => UUID, { description: 'The id of the offer.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => Shop, { mapToPk: true, fieldName: 'shop_id', index: false })
  shopId!: string;

  @Property({ type: 'varchar', length: 64 })
  sku!: string;

  /** of the product and the variant, for orders and searches */
  @Property({ type: 'varchar', length: 520 })
  name!: string;

  /** search vector, by `offerWords` */
  @Property({ type: SearchVectorType, lazy: true, default: '' })
  words!: Opt<string>;

  @Property({ type: 'numeric', precision: 12, scale: amountScale })
  priceAmount!: string;

  @Property({ type: 'numeric', precision: 12, scale: amountScale, nullable: true })
  compareAtAmount!: string | null;

  @Property({ type: 'char', length: 3 })
  currencyCode!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum number of units per customer; null for no limit.',
  })
  @Property({ type: 'integer', nullable: true })
  purchaseLimit!: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Maximum number of units that a customer may hold in unpaid orders, if it is above the limit of the system; null for that limit.',
  })
  @Property({ type: 'integer', nullable: true })
  holdLimit!: number | null;

  /**
   * the sale that it was put into last, at publication and under the lock of its row: so it is in one at most that is
   * published and has not ended
   */
  @Property({ type: 'uuid', nullable: true })
  saleId!: string | null;

  @Field(() => Boolean, { description: 'Whether the offer can be bought.' })
  @Property({ type: 'boolean', default: true })
  active!: boolean;

  /** rises with each change */
  @Property({ type: 'integer', default: 1 })
  version!: Opt<number>;

  /** when its shop removed it; orders still refer to it */
  @Property({ type: 'timestamptz', nullable: true })
  removedAt!: Date | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const OfferConnection = connectionOf(Offer, 'Offer');
