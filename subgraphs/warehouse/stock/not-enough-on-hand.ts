import { Field, Int, ObjectType } from 'type-graphql';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';

@Allow('parent')
@ObjectType({ description: 'A stock level with too few free units.' })
export class LevelTooLow {
  @Field(() => String, { description: 'The variant.' })
  sku!: string;

  @Field(() => Int, { description: 'Units requested.' })
  requested!: number;

  @Field(() => Int, { description: 'Units on hand.' })
  onHand!: number;

  @Field(() => Int, { description: 'Units of those that are reserved for orders and must stay.' })
  reserved!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'Some levels have fewer unreserved units than requested. Nothing was changed.',
})
export class NotEnoughOnHand extends Refusal {
  @Field(() => [LevelTooLow], { description: 'The levels with too few units.' })
  levels!: LevelTooLow[];
}

/** @param levels at least one */
export function notEnoughOnHand(levels: LevelTooLow[]): NotEnoughOnHand {
  const shortfalls = levels.map(({ sku, requested, onHand, reserved }) => {
    return `${requested} of ${sku} requested, ${onHand - reserved} not reserved`;
  });
  const message = `Not enough units on hand: ${shortfalls.join('; ')}.`;
  return result(NotEnoughOnHand, { message, levels });
}
