import { Field, Int, ObjectType } from 'type-graphql';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';

@Allow('parent')
@ObjectType({ description: 'A level that has too few units for what was to be taken from it.' })
export class LevelTooLow {
  @Field(() => String, { description: 'The variant.' })
  sku!: string;

  @Field(() => Int, { description: 'Units that were to go.' })
  requested!: number;

  @Field(() => Int, { description: 'Units that are there.' })
  onHand!: number;

  @Field(() => Int, { description: 'Units of those that orders hold, and that have to stay.' })
  reserved!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'Fewer units are there, and not held for orders, than were to go. Nothing moved.',
})
export class NotEnoughOnHand extends Refusal {
  @Field(() => [LevelTooLow], { description: 'The levels that have too few.' })
  levels!: LevelTooLow[];
}

/** @param levels one at least */
export function notEnoughOnHand(levels: LevelTooLow[]): NotEnoughOnHand {
  const shortfalls = levels.map(({ sku, requested, onHand, reserved }) => {
    return `${requested} of ${sku}, of which ${onHand - reserved} are free`;
  });
  const message = `Too few units are there: ${shortfalls.join('; ')}.`;
  return result(NotEnoughOnHand, { message, levels });
}
