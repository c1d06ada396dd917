import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import type * as contract from '../../contracts/shop.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { SearchVectorType } from '../../shared/text/search-vector-type.js';

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({ description: 'A seller, with its own prices and warehouses.' })
@Retained({ permanently: 'master data, to which orders and stock refer' })
@Entity({ tableName: 'shop' })
@Index({ name: 'shop_owner', properties: ['ownerId'] })
@Index({
  name: 'shop_words',
  expression: 'create index shop_words on shop using gin (words) with (fastupdate = off)',
})
export class Shop {
  @Field(() => UUID, { description: 'The id of the shop.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => String, { description: 'Display name.' })
  @Property({ type: 'varchar', length: 255 })
  name!: string;

  /** search vector, by `shopWords` */
  @Property({ type: SearchVectorType, lazy: true, default: '' })
  words!: Opt<string>;

  @Field(() => String, { description: 'URL slug; unique.' })
  @Property({ type: 'varchar', length: 300, unique: 'shop_slug' })
  slug!: string;

  @Property({ type: 'uuid' })
  ownerId!: string;

  @Field(() => String, { description: 'Currency of the shop’s prices (ISO 4217).' })
  @Property({ type: 'char', length: 3, default: 'USD' })
  currencyCode!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const ShopConnection = connectionOf(Shop, 'Shop');

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'Owner of a shop.' })
export class ShopOwner implements contract.ShopOwner {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => UUID, { description: 'The user who owns the shop.' })
  ownerId!: string;
}
