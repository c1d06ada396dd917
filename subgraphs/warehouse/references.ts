import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../shared/graphql/scalars.js';
import { Allow } from '../shared/rights/rights.js';

/** A reference: the shop subgraph owns it. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class Shop {
  @Field(() => UUID)
  id!: string;
}

/** A reference: the order subgraph owns it. */
@Directive('@key(fields: "id", resolvable: false)')
@Allow('own', 'shop-owner')
@ObjectType()
export class Order {
  @Field(() => UUID)
  id!: string;
}

/** A reference, by order and shop: the order subgraph owns it. */
@Directive('@key(fields: "order { id } shop { id }", resolvable: false)')
@Allow('own', 'shop-owner')
@ObjectType()
export class ShopOrder {
  @Field(() => Order)
  order!: Order;

  @Field(() => Shop, { nullable: true })
  shop!: Shop;
}

/** A reference: the product subgraph owns it. */
@Directive('@key(fields: "sku")')
@Allow('anyone')
@ObjectType()
export class ProductVariant {
  @Field(() => String)
  sku!: string;
}

/** A reference: the shop subgraph owns it, and provides its shop and variant. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class Offer {
  @Field(() => UUID)
  id!: string;

  @Directive('@external')
  @Field(() => Shop)
  shop!: Shop;

  @Directive('@external')
  @Field(() => ProductVariant, { nullable: true })
  variant!: ProductVariant | null;
}
