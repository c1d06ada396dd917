import { Length } from 'class-validator';
import {
  Arg,
  Ctx,
  Directive,
  Field,
  FieldResolver,
  InputType,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import type { StockKey } from '../../contracts/stock-key.js';
import { badInput } from '../../shared/errors.js';
import { loaderOf, type SubgraphContext } from '../../shared/graphql/context.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { Availability, loadAvailability, loadStockTotals } from './availability.js';

const keysMax = 1000;

export const UnavailableReason = enumOf('UnavailableReason', 'Why units cannot be bought now.', {
  INACTIVE_WAREHOUSE: 'They are in an inactive warehouse.',
  RESERVED_BY_OTHERS: 'They are reserved for unpaid orders.',
  IN_TRANSIT: 'They are in transit to an active warehouse.',
});
export type UnavailableReason = keyof typeof UnavailableReason;

@Allow('parent')
@ObjectType({ description: 'Units in stock or in transit that cannot be bought now.' })
export class AvailabilityReason {
  @Field(() => UnavailableReason, { description: 'Why they cannot be bought.' })
  reason!: UnavailableReason;

  @Field(() => Int, { description: 'Number of units.' })
  quantity!: number;
}

@Directive('@inaccessible')
@InputType({ description: 'A variant in one shop.' })
export class StockKeyInput implements StockKey {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant.' })
  @Length(1, 64)
  sku!: string;
}

@Resolver(() => Availability)
export class AvailabilityResolver {
  @Directive('@inaccessible')
  @Allow('caller:order')
  @ListMax(keysMax)
  @Query(() => [Int], { description: 'Units that can be bought, in the order of the keys.' })
  async availabilityOf(
    @Arg('of', () => [StockKeyInput], { description: 'The variants and shops, at most 1,000.' })
    of: StockKeyInput[],
    @Ctx() context: SubgraphContext,
  ): Promise<number[]> {
    if (of.length > keysMax) throw badInput({ of: `must be at most ${keysMax}` });
    return (await loadAvailability(of, context)).map(({ available }) => available);
  }

  @Allow('parent')
  @FieldResolver(() => Int, {
    description: 'Units in transit, which can be bought when they arrive.',
  })
  async incoming(@Root() root: Availability, @Ctx() context: SubgraphContext): Promise<number> {
    return (await totalsOf(root, context)).incoming;
  }

  @Allow('parent')
  @FieldResolver(() => Boolean, {
    description:
      'Whether it is sold out, or fewer units are available than the sum of its levels’ thresholds.',
  })
  async isLowStock(@Root() root: Availability, @Ctx() context: SubgraphContext) {
    return root.available === 0 || root.available < (await totalsOf(root, context)).threshold;
  }

  @Allow('parent')
  @ListMax(3)
  @FieldResolver(() => [AvailabilityReason], { description: 'Why further units cannot be bought.' })
  async reasons(@Root() root: Availability, @Ctx() context: SubgraphContext) {
    const { inactive, reserved, incoming } = await totalsOf(root, context);
    const all: AvailabilityReason[] = [
      { reason: 'INACTIVE_WAREHOUSE', quantity: inactive },
      { reason: 'RESERVED_BY_OTHERS', quantity: reserved },
      { reason: 'IN_TRANSIT', quantity: incoming },
    ];
    return all.filter(({ quantity }) => quantity > 0);
  }
}

const totalsOf = ({ sku, shopId }: Availability, context: SubgraphContext) =>
  loaderOf(context, loadStockTotals).load({ sku, shopId });
