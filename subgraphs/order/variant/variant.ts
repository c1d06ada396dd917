import { Directive, Field, ObjectType } from 'type-graphql';

/** A reference: the product subgraph owns it. */
@Directive('@key(fields: "sku", resolvable: false)')
@ObjectType()
export class ProductVariant {
  @Field(() => String)
  sku!: string;
}
