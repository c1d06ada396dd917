import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/context.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import type { WarehouseContext } from '../context.js';
import { Availability, loadAvailability, loadAvailabilityOfSkus } from '../stock/availability.js';
import { ProductVariant } from './variant.js';

@Resolver(() => ProductVariant)
export class VariantResolver {
  @Allow('anyone')
  @FieldResolver(() => Availability, {
    nullable: true,
    description: 'How much of it can be bought, of one shop or of all.',
  })
  availability(
    @Root() { sku }: ProductVariant,
    @Ctx() context: WarehouseContext,
    @Arg('shopId', () => UUID, { nullable: true, description: 'Of this shop only.' })
    shopId?: string,
  ) {
    if (shopId) return loaderOf(context, loadAvailability).load({ shopId, sku });
    return loaderOf(context, loadAvailabilityOfSkus).load(sku);
  }
}
