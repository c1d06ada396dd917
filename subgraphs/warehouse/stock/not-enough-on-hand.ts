import { Field, Int, ObjectType } from 'type-graphql';
import { ListMax } from '../../shared/graphql/list-max.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import { freeUnits } from './level-units.js';

/** Lines of a transfer, or of a shop order. */
const levelsMax = 100;

@Allow('parent')
@ObjectType({ description: 'A stock level with too few free units.' })
export class LevelTooLow {
  @Field(() => String, { description: 'The variant.' })
  sku!: string;

  @Field(() => Int, { description: 'Units requested.' })
  requested!: number;

  @Field(() => Int, { description: 'Units on hand.' })
  onHand!: number;

  @Field(() => Int, { description: 'Units that are reserved for unpaid orders.' })
  reserved!: number;

  @Field(() => Int, { description: 'Units that are paid and not shipped yet.' })
  committed!: number;

  @Field(() => Int, { description: 'Units on hand that are damaged or quarantined.' })
  unavailable!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'Some levels have fewer free units than requested. Nothing was changed.',
})
export class NotEnoughOnHand extends Refusal {
  @ListMax(levelsMax)
  @Field(() => [LevelTooLow], { description: 'The levels with too few units.' })
  levels!: LevelTooLow[];
}

/** @param rows at least one. `free`: the units that the request could have; by default those not promised */
export function notEnoughOnHand(
  rows: ReadonlyArray<LevelTooLow & { readonly free?: number }>,
): NotEnoughOnHand {
  const levels = rows.map(({ sku, requested, onHand, reserved, committed, unavailable }) => {
    return result(LevelTooLow, { sku, requested, onHand, reserved, committed, unavailable });
  });
  const shortfalls = rows.map((row) => {
    const { sku, requested, onHand } = row;
    const free = row.free ?? Math.max(0, freeUnits(row));
    return `${requested} of ${sku} requested, ${onHand} on hand, ${free} of them free`;
  });
  const message = `Not enough units on hand: ${shortfalls.join('; ')}.`;
  return result(NotEnoughOnHand, { message, levels });
}
