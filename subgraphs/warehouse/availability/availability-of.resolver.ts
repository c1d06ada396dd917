import { Length } from 'class-validator';
import { Arg, Ctx, Directive, Field, InputType, Int, Query, Resolver } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { loadAvailability } from './availability.js';

const keysMax = 1000;

@Directive('@inaccessible')
@InputType({ description: 'What one shop has of one variant.' })
export class StockKeyInput {
  @Field(() => UUID, { description: 'The shop that sells.' })
  shopId!: string;

  @Field(() => String, { description: 'What is sold.' })
  @Length(1, 64)
  sku!: string;
}

@Resolver()
export class AvailabilityOfResolver {
  @Directive('@inaccessible')
  @Allow('caller:order')
  @Query(() => [Int], { description: 'Units that can be bought, in the order of the keys.' })
  async availabilityOf(
    @Arg('of', () => [StockKeyInput], { description: 'Of what; at most 1,000.' })
    of: StockKeyInput[],
    @Ctx() context: WarehouseContext,
  ): Promise<number[]> {
    if (of.length > keysMax) throw badInput({ of: `must be at most ${keysMax}` });
    return (await loadAvailability(of, context)).map(({ available }) => available);
  }
}
