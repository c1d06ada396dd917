import { Field, Int, ObjectType } from 'type-graphql';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The level has fewer unavailable units than requested. Nothing was changed.',
})
export class NotEnoughUnavailable extends Refusal {
  @Field(() => Int, { description: 'Unavailable units.' })
  unavailable!: number;
}

export const notEnoughUnavailable = (sku: string, unavailable: number): NotEnoughUnavailable =>
  result(NotEnoughUnavailable, {
    message: `Only ${unavailable} units of ${sku} are unavailable.`,
    unavailable,
  });
