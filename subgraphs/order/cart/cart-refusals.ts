import { Field, Int, ObjectType } from 'type-graphql';
import type { Shortage } from '../../contracts/reservation.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { LimitViolation } from '../purchase-limit/count-purchases.js';
import { Offer } from '../references.js';
import { cartItemsMax } from './change-cart.js';

@Allow('parent')
@ObjectType({ description: 'A line for which there was not enough stock.' })
export class ShortLine {
  @Field(() => Offer, { nullable: true, description: 'The offer.' })
  offer!: Offer;

  @Field(() => UUID, {
    nullable: true,
    description: 'The sale of the line; null for the regular price.',
  })
  saleId!: string | null;

  @Field(() => Int, { description: 'Units requested.' })
  requested!: number;

  @Field(() => Int, { description: 'Units that were available at that moment.' })
  available!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'There was not enough stock for at least one line; nothing is reserved.',
})
export class InsufficientStock extends Refusal {
  @ListMax(cartItemsMax)
  @Field(() => [ShortLine], { description: 'The lines that were short.' })
  lines!: ShortLine[];
}

@Allow('parent')
@ObjectType({ description: 'A line that would exceed the purchase limit of its offer.' })
export class LimitedLine {
  @Field(() => Offer, { nullable: true, description: 'The offer.' })
  offer!: Offer;

  @Field(() => UUID, {
    nullable: true,
    description: 'The sale that has the limit; null for the purchase limit of the offer.',
  })
  saleId!: string | null;

  @Field(() => Int, { description: 'Units that one customer may buy.' })
  limit!: number;

  @Field(() => Int, {
    description:
      'Units bought before, in orders that are not cancelled; in a sale also paid units that were cancelled.',
  })
  already!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'At least one line would exceed a purchase limit; nothing was changed.',
})
export class PurchaseLimitExceeded extends Refusal {
  @ListMax(cartItemsMax)
  @Field(() => [LimitedLine], { description: 'The lines that would exceed their limit.' })
  lines!: LimitedLine[];
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'At least one offer does not exist or is no longer for sale; nothing was changed.',
})
export class OfferGone extends Refusal {
  @ListMax(cartItemsMax)
  @Field(() => [UUID], { description: 'Ids of these offers.' })
  offerIds!: string[];
}

/** An offer with fewer units available than requested. */
export type ShortageLine = Pick<Shortage, 'requested' | 'available'> & {
  readonly offerId: string;
  readonly saleId?: string | null;
};

/** The refusal for a shortage. */
export function insufficientStock(lines: readonly ShortageLine[]): InsufficientStock {
  return result(InsufficientStock, {
    message: 'Not enough stock. Reduce the quantity and try again.',
    lines: lines.map(({ offerId, saleId = null, ...line }) => {
      return result(ShortLine, { ...line, saleId, offer: { id: offerId } });
    }),
  });
}

/** The refusal for lines beyond their purchase limit. */
export function limitExceeded(lines: readonly LimitViolation[]): PurchaseLimitExceeded {
  return result(PurchaseLimitExceeded, {
    message: 'Purchase limit exceeded. Reduce the quantity and try again.',
    lines: lines.map(({ offerId, saleId = null, ...line }) => {
      return result(LimitedLine, { ...line, saleId, offer: { id: offerId } });
    }),
  });
}
