import { Field, ObjectType } from 'type-graphql';
import { sqlPrepared } from '../../shared/database/sql.js';
import { type BatchLoad, inOrderOf } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Money, money } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { isOpenSql } from './sale-sql.js';

@Allow('parent')
@ObjectType({ description: 'The sale that an offer is in, or will be.' })
export class OfferSale {
  @Field(() => UUID, { description: 'The sale.' })
  id!: string;

  @Field(() => Money, { description: 'Price of one unit in the sale.' })
  price!: Money;

  @Field(() => Date, { description: 'From when the offer can be bought at the price.' })
  startsAt!: Date;

  @Field(() => Date, { description: 'Until when the offer can be bought at the price.' })
  endsAt!: Date;

  /** with `id`, what `remaining` is read by */
  shopId!: string;
  sku!: string;
}

interface Row {
  readonly offerId: string;
  readonly id: string;
  readonly shopId: string;
  readonly sku: string;
  readonly amount: string;
  readonly currencyCode: string;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** The sales of offers by their ids, in one statement; null for one in none that is scheduled or live. */
export const loadOfferSales: BatchLoad<string, OfferSale | null, ShopContext> = async (
  offerIds,
  { em },
) => {
  const rows = await sqlPrepared<Row>(
    em,
    `select o.id as "offerId", e.id, o.shop_id as "shopId", o.sku, s.price_amount as amount,
       o.currency_code as "currencyCode", e.starts_at as "startsAt", e.ends_at as "endsAt"
     from offer o join sale_event e on e.id = o.sale_id
       join sale_offer s on s.sale_id = e.id and s.offer_id = o.id
     where o.id = any($1::uuid[]) and e.status <> 'PAUSED' and ${isOpenSql('e')}`,
    [offerIds],
  );
  const sales = inOrderOf(offerIds, rows, ({ offerId }) => offerId);
  return sales.map((row) => row && toSale(row));
};

function toSale({ id, shopId, sku, amount, currencyCode, startsAt, endsAt }: Row): OfferSale {
  const price = money(amount, currencyCode);
  const window = { startsAt: new Date(startsAt), endsAt: new Date(endsAt) };
  return Object.assign(new OfferSale(), { id, shopId, sku, price, ...window });
}
