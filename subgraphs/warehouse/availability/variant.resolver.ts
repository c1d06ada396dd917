import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { loaderOf, type SubgraphContext } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { ProductVariant } from '../references.js';
import { Availability, loadAvailability, loadAvailabilityOfSkus } from './availability.js';

@Resolver(() => ProductVariant)
export class VariantResolver {
  @Allow('anyone')
  @FieldResolver(() => Availability, {
    nullable: true,
    description: 'How much of it can be bought, of one shop or of all.',
  })
  availability(
    @Root() { sku }: ProductVariant,
    @Ctx() context: SubgraphContext,
    @Arg('shopId', () => UUID, { nullable: true, description: 'Of this shop only.' })
    shopId?: string,
  ) {
    if (shopId) return loaderOf(context, loadAvailability).load({ shopId, sku });
    return loaderOf(context, loadAvailabilityOfSkus).load(sku);
  }
}
