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
    description: 'Availability of the variant, in one shop or in all.',
  })
  availability(
    @Root() { sku }: ProductVariant,
    @Ctx() context: SubgraphContext,
    @Arg('shopId', () => UUID, { nullable: true, description: 'Only in this shop.' })
    shopId?: string,
  ) {
    if (shopId) return loaderOf(context, loadAvailability).load({ shopId, sku });
    return loaderOf(context, loadAvailabilityOfSkus).load(sku);
  }
}
