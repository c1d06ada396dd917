import { Arg, Field, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import { saleOffersMax } from '../../../contracts/sale.js';
import { ListMax } from '../../../shared/graphql/list-max.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { BeginsWithSnapshot } from '../../../shared/graphql/schema.js';
import { openingFeed } from '../../../shared/messaging/opening-feed.js';
import { Allow } from '../../../shared/rights/rights.js';
import { Offer, SaleEvent } from '../../references.js';
import { SaleStateEnum } from '../sale-state.js';
import type { SaleLiveContext } from './sale-feeds.js';
import type { SaleSnapshot } from './sale-snapshot.js';

@Allow('parent')
@ObjectType({ description: 'What a sale has of one offer.' })
export class SaleOfferUnits {
  @Field(() => Offer, { description: 'The offer.' })
  offer!: Offer;

  @Field(() => Int, {
    description: 'Units that can be bought now. 0: all are held, and may come back, or sold.',
  })
  remaining!: number;

  @Field(() => Boolean, {
    description: 'Whether no unit is held and none is left. It stays so.',
  })
  soldOut!: boolean;
}

@Allow('parent')
@ObjectType({ description: 'A sale and its units, now or after a change.' })
export class SaleChange {
  @Field(() => SaleEvent, { description: 'The sale.' })
  sale!: SaleEvent;

  @Field(() => SaleStateEnum, { description: 'Current state.' })
  state!: keyof typeof SaleStateEnum;

  @Field(() => Date, { description: 'From when its units can be bought.' })
  startsAt!: Date;

  @Field(() => Date, { description: 'Until when its units can be bought.' })
  endsAt!: Date;

  @Field(() => Date, {
    description: 'Time of the change by the clock that decides about the window, for countdowns.',
  })
  serverTime!: Date;

  @ListMax(saleOffersMax)
  @Field(() => [SaleOfferUnits], { description: 'The offers, 2,000 at most.' })
  offers!: SaleOfferUnits[];

  @Field(() => Int, {
    nullable: true,
    description:
      'Number of the ticket that the queue admitted last: the position of a ticket is its number less this one. Null without a queue.',
  })
  servingNumber!: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Tickets that wait in the queue. Those that were left count until their turn. Null without a queue.',
  })
  waiting!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Customers who were admitted within the last minute; null without a queue.',
  })
  admittedPerMinute!: number | null;

  @Field(() => Int, { description: 'Increases with each change.' })
  version!: number;
}

@Resolver()
export class SaleChangedResolver {
  @Allow('anyone')
  @BeginsWithSnapshot('version')
  @Subscription(() => SaleChange, {
    description: 'A sale with the units that it has left, then the same after each change.',
    subscribe: ({ args, context }) =>
      openingFeed(() => (context as SaleLiveContext).app.saleFeeds.open(args.id)),
  })
  saleChanged(
    @Root() { id, state, startsAt, endsAt, offers, queue, atMs, version }: SaleSnapshot,
    @Arg('id', () => UUID, { description: 'Id of the sale.' }) _id: string,
  ): SaleChange {
    return {
      sale: { id },
      state,
      startsAt: new Date(startsAt),
      endsAt: new Date(endsAt),
      serverTime: new Date(atMs),
      offers: offers.map(({ offerId, ...units }) => ({ offer: { id: offerId }, ...units })),
      servingNumber: queue?.servingNumber ?? null,
      waiting: queue?.waiting ?? null,
      admittedPerMinute: queue?.admittedPerMinute ?? null,
      version,
    };
  }
}
