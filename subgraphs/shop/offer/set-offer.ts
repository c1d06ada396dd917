import Big from 'big.js';
import { IsOptional, Length, Matches, Max, Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { variantKey, variantNames } from '../../contracts/product.js';
import { sql } from '../../shared/database/sql.js';
import { badInput } from '../../shared/errors.js';
import { Decimal, UUID } from '../../shared/graphql/scalars.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import { newId } from '../../shared/ids.js';
import type { ShopContext } from '../context.js';
import { requireOwnShop } from '../shop/require-shop.js';
import { enqueueOfferChanged } from './offer-changed.js';
import { type OfferRow, offerColumns } from './read-offers.js';
import { isRetired } from './retired-sku.js';
import { latestVariantName } from './variant-name.js';

const amount = /^\d{1,10}(\.\d{1,2})?$/;
const amountRule = { message: 'must be 0 or more, with at most two decimals' };
const purchaseLimitMax = 1_000_000;

@InputType({
  description: 'A shop’s offer of a variant, as a whole: what is left out is not kept.',
})
export class SetOfferInput {
  @Field(() => UUID, { description: 'The shop that sells.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant that is sold.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Decimal, {
    description: 'The price in the currency of the shop, two decimals at most.',
  })
  @Matches(amount, amountRule)
  price!: string;

  @Field(() => Decimal, {
    nullable: true,
    description:
      'The price to show beside it, as what it was or is elsewhere: higher than `price`.',
  })
  @IsOptional()
  @Matches(amount, amountRule)
  compareAtPrice?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many units one customer may buy, 1 to 1,000,000; left out: any number.',
  })
  @IsOptional()
  @Min(1)
  @Max(purchaseLimitMax)
  purchaseLimit?: number | null;

  @Field(() => Boolean, { defaultValue: true, description: 'Whether it can be bought.' })
  active!: boolean;
}

/**
 * Creates or changes the one offer of a shop for a variant; one that was removed is there again.
 *
 * @throws `NOT_FOUND` and `FORBIDDEN` for the shop, `BAD_USER_INPUT` for a sku that does not exist or
 *   was removed, and for a `compareAtPrice` that is not above the price
 */
export async function setOffer(context: ShopContext, input: SetOfferInput): Promise<OfferRow> {
  const { sku, price, compareAtPrice = null, purchaseLimit = null } = input;
  if (compareAtPrice !== null && new Big(compareAtPrice).lte(price)) {
    throw badInput({ 'input.compareAtPrice': 'must be more than the price' });
  }
  const shop = await requireOwnShop(context, input.shopId);
  const name = await fetchVariantName(context.app.product, sku);
  if (!name) throw badInput({ 'input.sku': `there is no variant ${sku}` });
  return context.em.fork().transactional(async (tx) => {
    if (await isRetired(tx, sku)) throw badInput({ 'input.sku': `${sku} was removed` });
    const latestName = await latestVariantName(tx, sku);
    const offers = await sql<OfferRow>(
      tx,
      `insert into offer (id, shop_id, sku, name, price_amount, compare_at_amount, currency_code,
         purchase_limit, active)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (shop_id, sku) do update set (name, price_amount, compare_at_amount,
         currency_code, purchase_limit, active, removed_at, version, updated_at)
       = (excluded.name, excluded.price_amount, excluded.compare_at_amount,
         excluded.currency_code, excluded.purchase_limit, excluded.active, null, offer.version + 1, now())
       returning ${offerColumns}`,
      [
        ...[newId(), shop.id, sku, latestName ?? name, price, compareAtPrice],
        ...[shop.currencyCode, purchaseLimit, input.active],
      ],
    );
    await enqueueOfferChanged(tx, offers);
    return offers[0] as OfferRow;
  });
}

const nameTimeoutMs = 3000;

/** @returns `Product name, variant name`, or null where the sku does not exist */
async function fetchVariantName(product: ServiceClient, sku: string): Promise<string | null> {
  const options = { timeoutMs: nameTimeoutMs, repeatable: true };
  const [variant] = await product.call(variantNames, { of: [variantKey(sku)] }, options);
  return variant ? `${variant.product.name}, ${variant.name}` : null;
}
