import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../shared/graphql/scalars.js';
import { Allow } from '../shared/rights/rights.js';

/** A reference: the shop subgraph owns it. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class Offer {
  @Field(() => UUID)
  id!: string;
}

/** A reference: the shop subgraph owns it. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class Shop {
  @Field(() => UUID)
  id!: string;
}

/** A reference: the shop subgraph owns it. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({
  description: 'A sale: offers at lower prices, with units set aside, between two times.',
})
export class SaleEvent {
  @Field(() => UUID, { description: 'The id of the sale.' })
  id!: string;
}

/** A reference: the user subgraph owns it. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class User {
  @Field(() => UUID)
  id!: string;
}

/** A reference: the product subgraph owns it. */
@Directive('@key(fields: "sku", resolvable: false)')
@Allow('anyone')
@ObjectType()
export class ProductVariant {
  @Field(() => String)
  sku!: string;
}
