import { Directive, Field, ObjectType } from 'type-graphql';

/** A reference: the product subgraph owns it. */
@Directive('@key(fields: "sku")')
@ObjectType()
export class ProductVariant {
  @Field(() => String)
  sku!: string;
}
