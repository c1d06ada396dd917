import { Directive, Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights/rights.js';

/** A reference: the product subgraph owns it. */
@Directive('@key(fields: "sku")')
@Allow('anyone')
@ObjectType()
export class ProductVariant {
  @Field(() => String)
  sku!: string;
}
