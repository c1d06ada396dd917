import { Check, Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { type WhenSoldOut, whenSoldOuts } from '../../contracts/shop.js';
import { amountScale } from '../../shared/currencies.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { Allow } from '../../shared/rights/rights.js';
import { Offer } from '../offer/offer.js';
import { SaleEvent } from './sale-event.js';

export const WhenSoldOutEnum = enumOf(
  'WhenSoldOut',
  'What an offer is at its regular price, while its sale is live.',
  {
    REGULAR_PRICE: 'It can be bought at its regular price.',
    SOLD_OUT: 'It cannot be bought at its regular price while the sale is live.',
  } satisfies Record<WhenSoldOut, string>,
);

const reference = { updateRule: 'no action', deleteRule: 'no action', index: false } as const;

@Allow('parent')
@ObjectType({ description: 'An offer in a sale.' })
@Retained({ permanently: 'a sale has at most 2,000' })
@Entity({ tableName: 'sale_offer' })
@Index({ name: 'sale_offer_offer', properties: ['offerId'] })
@Check({ name: 'sale_offer_price_not_negative', expression: 'price_amount >= 0' })
@Check({ name: 'sale_offer_allocation', expression: 'allocation >= 0' })
@Check({ name: 'sale_offer_limit_positive', expression: 'limit_per_customer > 0' })
@Check({
  name: 'sale_offer_when_sold_out',
  expression: isOneOf('when_sold_out', whenSoldOuts),
})
export class SaleOffer {
  @ManyToOne(() => SaleEvent, { mapToPk: true, primary: true, fieldName: 'sale_id', ...reference })
  saleId!: string;

  @ManyToOne(() => Offer, { mapToPk: true, primary: true, fieldName: 'offer_id', ...reference })
  offerId!: string;

  @Property({ type: 'numeric', precision: 12, scale: amountScale })
  priceAmount!: string;

  @Field(() => Int, { description: 'Units that are set aside for the sale.' })
  @Property({ type: 'integer' })
  allocation!: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'Maximum number of units per customer in the sale; null for no limit. The limit of the offer applies too.',
  })
  @Property({ type: 'integer', nullable: true })
  limitPerCustomer!: number | null;

  @Field(() => WhenSoldOutEnum, {
    description: 'Whether the offer is sold at its regular price too, while the sale is live.',
  })
  @Property({ type: 'text', default: 'REGULAR_PRICE' })
  whenSoldOut!: WhenSoldOut;
}

export const SaleOfferConnection = connectionOf(SaleOffer, 'SaleOffer');
