import { Ctx, Directive, FieldResolver, Resolver, Root } from 'type-graphql';
import { loaderOf, type SubgraphContext } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import { Offer } from '../references.js';
import { Availability, loadAvailability } from './availability.js';

@Resolver(() => Offer)
export class OfferResolver {
  @Directive('@requires(fields: "shop { id } variant { sku }")')
  @Allow('anyone')
  @FieldResolver(() => Availability, {
    nullable: true,
    description: 'Availability of the variant in this shop.',
  })
  availability(@Root() { shop, variant }: Offer, @Ctx() context: SubgraphContext) {
    if (!variant) return null;
    return loaderOf(context, loadAvailability).load({ shopId: shop.id, sku: variant.sku });
  }
}

/** The availability of each offer; null for one without a variant. One statement for all. */
export async function readAvailabilityOfOffers(
  offers: readonly Offer[],
  context: SubgraphContext,
): Promise<(Availability | null)[]> {
  const keys = offers.flatMap(({ shop, variant }) =>
    variant ? [{ shopId: shop.id, sku: variant.sku }] : [],
  );
  const read = (await loadAvailability(keys, context)).values();
  return offers.map(({ variant }) => (variant ? (read.next().value ?? null) : null));
}
