import { Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { Allow, VariesByUser } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { Offer } from '../references.js';
import { loadInOtherCarts } from './in-other-carts.js';

@Resolver(() => Offer)
export class OfferResolver {
  @Allow('anyone')
  @VariesByUser()
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Units in other customers’ carts that were changed in the last 24 hours.',
  })
  inOtherCarts(@Root() offer: Offer, @Ctx() context: OrderContext) {
    return loaderOf(context, loadInOtherCarts).load(offer.id);
  }
}
