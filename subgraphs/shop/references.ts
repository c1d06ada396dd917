import { Directive, Field, ObjectType } from 'type-graphql';
import { variantsMax } from '../contracts/product.js';
import { ListMax } from '../shared/graphql/list-max.js';
import { UUID } from '../shared/graphql/scalars.js';
import { Allow } from '../shared/rights/rights.js';

/** A reference to an entity of the user subgraph. */
@Directive('@key(fields: "id", resolvable: false)')
@Allow('anyone')
@ObjectType()
export class User {
  @Field(() => UUID)
  id!: string;
}

/** A reference to an entity of the product subgraph. */
@Directive('@key(fields: "sku")')
@Allow('anyone')
@ObjectType()
export class ProductVariant {
  @Field(() => String)
  sku!: string;
}

/** A reference to an entity of the product subgraph, which also provides `variants`. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class Product {
  @Field(() => UUID)
  id!: string;

  @Directive('@external')
  @ListMax(variantsMax)
  @Field(() => [ProductVariant])
  variants!: ProductVariant[];
}
