import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { ProductVariant } from '../variant/variant.js';

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
