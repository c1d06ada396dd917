import { Field, Int, ObjectType } from 'type-graphql';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { itemsMax } from '../order/shop-order.js';
import { Offer } from '../references.js';
import type { LineOfSale } from '../sale/report/count-refusals.js';
import type { IneligibleReason } from '../sale-limit/eligibility.js';

export const HoldLimit = enumOf('HoldLimit', 'What limits the orders that a customer may place.', {
  OPEN_ORDERS: 'Unpaid orders that the customer has open at a time.',
  OPEN_UNITS: 'Units of the offer in unpaid orders that the customer has open.',
  EXPIRED_ORDERS: 'Orders of the offer in its sale that were not paid in time.',
});
export type HoldLimit = keyof typeof HoldLimit;

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description:
    'The customer holds as much unpaid as is allowed, or did not pay in time too often; nothing is ordered.',
})
export class HoldLimitExceeded extends Refusal {
  @Field(() => HoldLimit, { description: 'Which limit.' })
  kind!: HoldLimit;

  @Field(() => Int, {
    nullable: true,
    description: 'Open unpaid orders; null unless the limit is OPEN_ORDERS.',
  })
  openOrders!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Units of the offer in open unpaid orders; null unless the limit is OPEN_UNITS.',
  })
  openUnits!: number | null;

  @Field(() => Int, { description: 'The limit, in orders or units.' })
  limit!: number;

  @Field(() => Offer, {
    nullable: true,
    description: 'The offer; null if the limit is OPEN_ORDERS.',
  })
  offer!: Offer | null;

  @Field(() => Date, {
    nullable: true,
    description:
      'When to try again: the first open order expires then, or the sale ends. Null if the quantity alone exceeds the limit.',
  })
  retryAt!: Date | null;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The sale has no units of these offers left; nothing is ordered.',
})
export class SaleSoldOut extends Refusal {
  @Field(() => UUID, { description: 'Id of the sale.' })
  saleId!: string;

  @ListMax(itemsMax)
  @Field(() => [Offer], { description: 'The offers.' })
  offers!: Offer[];

  @Field(() => Boolean, {
    description: 'Whether all units are sold. If false, units that others hold may come back.',
  })
  isFinal!: boolean;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description:
    'These offers are sold only in their sale while it is LIVE, not at the regular price; nothing is ordered.',
})
export class SaleOnly extends Refusal {
  @ListMax(itemsMax)
  @Field(() => [Offer], { description: 'The offers.' })
  offers!: Offer[];

  /** the sale of each offer, whose report counts the refusal */
  inSales!: readonly LineOfSale[];
}

export const NotEligibleReason = enumOf<IneligibleReason>(
  'NotEligibleReason',
  'Why a customer may not buy in a sale.',
  {
    PHONE_NOT_PROVEN: 'The sale needs a proven phone number, and the account has none.',
    PHONE_USED: 'Another account bought in the sale with the phone number of this one.',
    ACCOUNT_TOO_NEW: 'The account was made too late for the sale.',
    ADDRESS_LIMIT_REACHED: 'As many units as are allowed for one address are ordered to this one.',
  },
);

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The customer may not buy in the sale; nothing is ordered.',
})
export class NotEligible extends Refusal {
  @Field(() => UUID, { description: 'Id of the sale.' })
  saleId!: string;

  @Field(() => NotEligibleReason, { description: 'Why.' })
  reason!: IneligibleReason;
}

const holdMessages: Readonly<Record<HoldLimit, string>> = {
  OPEN_ORDERS: 'You have too many unpaid orders. Pay or cancel one, then try again.',
  OPEN_UNITS:
    'You have too many units of this offer in unpaid orders. Pay or cancel an order, or reduce the quantity.',
  EXPIRED_ORDERS: 'Your orders of this offer were not paid in time. Try again after the sale.',
};

export interface HoldLimited {
  readonly reason: HoldLimit;
  readonly offerId: string | null;
  readonly counted: number;
  readonly limit: number;
  readonly retryAt: string | null;
}

export function holdLimitExceeded({
  reason,
  offerId,
  counted,
  limit,
  retryAt,
}: HoldLimited): HoldLimitExceeded {
  return result(HoldLimitExceeded, {
    message: holdMessages[reason],
    kind: reason,
    openOrders: reason === 'OPEN_ORDERS' ? counted : null,
    openUnits: reason === 'OPEN_UNITS' ? counted : null,
    limit,
    offer: offerId ? { id: offerId } : null,
    retryAt: retryAt ? new Date(retryAt) : null,
  });
}

export interface SoldOut {
  readonly saleId: string;
  readonly offerIds: readonly string[];
  readonly isFinal: boolean;
}

export function saleSoldOut({ saleId, offerIds, isFinal }: SoldOut): SaleSoldOut {
  return result(SaleSoldOut, {
    message: isFinal
      ? 'All units of the sale are sold.'
      : 'All units of the sale are taken. Some may come back: try again later.',
    saleId,
    offers: offerIds.map((id) => ({ id })),
    isFinal,
  });
}

export interface SoldInSaleOnly {
  readonly offers: readonly LineOfSale[];
}

export function saleOnly({ offers }: SoldInSaleOnly): SaleOnly {
  return result(SaleOnly, {
    message: 'Some items are sold only in their sale now. Order them in the sale, or after it.',
    offers: offers.map(({ offerId }) => ({ id: offerId })),
    inSales: offers,
  });
}

const notEligibleMessages: Readonly<Record<IneligibleReason, string>> = {
  PHONE_NOT_PROVEN:
    'This sale needs a proven phone number. Add one to your account, then try again.',
  PHONE_USED: 'Another account has bought in this sale with your phone number. Use that account.',
  ACCOUNT_TOO_NEW: 'Your account is too new for this sale. Order at the regular price.',
  ADDRESS_LIMIT_REACHED: 'No more units of this sale can be shipped to this address.',
};

export interface Ineligible {
  readonly saleId: string;
  readonly reason: IneligibleReason;
}

export function notEligible({ saleId, reason }: Ineligible): NotEligible {
  return result(NotEligible, { message: notEligibleMessages[reason], saleId, reason });
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description:
    'The customer has no valid admission by the queue of the sale, or has an order with it already; nothing is ordered.',
})
export class NotAdmitted extends Refusal {
  @Field(() => UUID, { description: 'Id of the sale.' })
  saleId!: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'Position in the queue: the number of the ticket less `servingNumber`. Null without a ticket that waits, and before the draw.',
  })
  position!: number | null;

  @Field(() => Date, { description: 'Time of the position.' })
  serverTime!: Date;
}

export interface Unadmitted {
  readonly saleId: string;
  readonly position: number | null;
  /** whether the customer has a ticket that waits, also before the draw */
  readonly waits?: boolean;
  readonly serverTime: string;
}

export function notAdmitted({ saleId, position, waits, serverTime }: Unadmitted): NotAdmitted {
  return result(NotAdmitted, {
    message:
      waits || position !== null
        ? 'It is not your turn in this sale yet. Wait until you are admitted, then try again.'
        : 'You have no admission to this sale, or an order with it. Pay or cancel that, or join the queue.',
    saleId,
    position,
    serverTime: new Date(serverTime),
  });
}
