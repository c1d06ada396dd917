import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../shared/graphql/scalars.js';
import { Allow } from '../shared/rights/rights.js';

/** A reference: the user subgraph owns it. */
@Directive('@key(fields: "id", resolvable: false)')
@Allow('anyone')
@ObjectType()
export class User {
  @Field(() => UUID)
  id!: string;
}

/** A reference: the product subgraph owns it. */
@Directive('@key(fields: "sku")')
@Allow('anyone')
@ObjectType()
export class ProductVariant {
  @Field(() => String)
  sku!: string;
}

/** A reference: the product subgraph owns it, and says which variants it has. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class Product {
  @Field(() => UUID)
  id!: string;

  @Directive('@external')
  @Field(() => [ProductVariant])
  variants!: ProductVariant[];
}
