import { Field, ObjectType } from 'type-graphql';
import type { OfferForSale } from '../../contracts/shop.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { Offer } from '../references.js';

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description:
    'The sale is not LIVE, not a sale of the offer, or has no queue to join; nothing was changed.',
})
export class SaleNotOpen extends Refusal {
  @Field(() => UUID, { description: 'Id of the sale, as it was requested.' })
  saleId!: string;

  @Field(() => Offer, { nullable: true, description: 'The offer; null of a queue.' })
  offer!: Offer | null;

  @Field(() => Date, {
    nullable: true,
    description: 'Start of the sale; null if it does not start later.',
  })
  startsAt!: Date | null;

  @Field(() => Date, {
    description:
      'Time of the decision: by the clock that opens sales, unless the sale is over or is cancelled.',
  })
  serverTime!: Date;
}

/** Why an offer cannot be bought in a sale. */
export interface NotOpen {
  readonly offerId: string;
  readonly saleId: string;
  /** null if it does not start later */
  readonly startsAt: string | null;
  readonly serverTime: string;
}

/** @param offer as shop decided it; its own sale, if any, is not this one or not LIVE */
export function notOpenOf({ id, sale, decidedAt }: OfferForSale, saleId: string): NotOpen {
  const isAhead = sale?.id === saleId && sale.state === 'SCHEDULED';
  return {
    offerId: id,
    saleId,
    startsAt: isAhead ? sale.startsAt : null,
    serverTime: decidedAt,
  };
}

export function queueNotOpen(saleId: string, serverTime: Date): SaleNotOpen {
  return result(SaleNotOpen, {
    message: 'The sale has no queue that can be joined: it is over, or open to everybody.',
    saleId,
    offer: null,
    startsAt: null,
    serverTime,
  });
}

export function saleNotOpen({ saleId, offerId, startsAt, serverTime }: NotOpen): SaleNotOpen {
  return result(SaleNotOpen, {
    message: startsAt
      ? 'The sale has not started. Try again when it starts.'
      : 'This offer is not sold in the sale now. Order it at its regular price.',
    saleId,
    offer: { id: offerId },
    startsAt: startsAt ? new Date(startsAt) : null,
    serverTime: new Date(serverTime),
  });
}
