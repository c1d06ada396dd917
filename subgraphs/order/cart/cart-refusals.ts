import { Field, Int, ObjectType } from 'type-graphql';
import type { Shortage } from '../../contracts/reservation.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { LimitViolation } from '../purchase-limit/count-purchases.js';
import { Offer } from '../references.js';

@Allow('parent')
@ObjectType({ description: 'A line of which there was not enough.' })
export class ShortLine {
  @Field(() => Offer, { nullable: true, description: 'The offer.' })
  offer!: Offer;

  @Field(() => Int, { description: 'Units that were asked for.' })
  requested!: number;

  @Field(() => Int, { description: 'Units that were left when it was decided.' })
  available!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'There was not enough of something; nothing is held.',
})
export class InsufficientStock extends Refusal {
  @Field(() => [ShortLine], { description: 'Of what, and how many were left.' })
  lines!: ShortLine[];
}

@Allow('parent')
@ObjectType({ description: 'A line that would pass the purchase limit of its offer.' })
export class LimitedLine {
  @Field(() => Offer, { nullable: true, description: 'The offer.' })
  offer!: Offer;

  @Field(() => Int, { description: 'How many units one customer may buy.' })
  limit!: number;

  @Field(() => Int, { description: 'Units bought before, in orders that are not cancelled.' })
  already!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'A customer may not have that many of something; nothing was changed.',
})
export class PurchaseLimitExceeded extends Refusal {
  @Field(() => [LimitedLine], { description: 'Of what, and how many were bought before.' })
  lines!: LimitedLine[];
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'An offer does not exist or is not for sale any more; nothing is held.',
})
export class OfferGone extends Refusal {
  @Field(() => [UUID], { description: 'Which ones.' })
  offerIds!: string[];
}

/** Units of an offer that were wanted, and of which there are fewer. */
export type ShortageLine = Pick<Shortage, 'requested' | 'available'> & {
  readonly offerId: string;
};

/** The refusal of what there is not enough of. */
export function insufficientStock(lines: readonly ShortageLine[]): InsufficientStock {
  return result(InsufficientStock, {
    message: 'There is not enough of what you want.',
    lines: lines.map(({ offerId, ...line }) => {
      return result(ShortLine, { ...line, offer: { id: offerId } });
    }),
  });
}

/** The refusal of what would pass a purchase limit. */
export function limitExceeded(lines: readonly LimitViolation[]): PurchaseLimitExceeded {
  return result(PurchaseLimitExceeded, {
    message: 'That is more than one customer may buy.',
    lines: lines.map(({ offerId, ...line }) => {
      return result(LimitedLine, { ...line, offer: { id: offerId } });
    }),
  });
}
