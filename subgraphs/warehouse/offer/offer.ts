import { Directive, Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import { Shop } from '../shop/shop.js';
import { ProductVariant } from '../variant/variant.js';

/** A reference: the shop subgraph owns it, and says of which shop and variant it is. */
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
