import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { IsOptional, Max, Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { variantKey, variantNames } from '../../contracts/product.js';
import { findAmountProblem, findCurrencyProblem } from '../../shared/currencies.js';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { Decimal, UUID } from '../../shared/graphql/scalars.js';
import { Amount, OneLine } from '../../shared/graphql/validation.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import { newId } from '../../shared/ids.js';
import { printAmount } from '../../shared/money.js';
import type { ShopContext } from '../context.js';
import { shareSku } from '../locks.js';
import { findSaleOfOffer, inSale } from '../sale-window/sale-of-offer.js';
import { offerWords } from '../search.js';
import { requireOwnShop } from '../shop/require-shop.js';
import { enqueueOfferChanged } from './offer-changed.js';
import { type OfferRow, offerColumns } from './read-offers.js';
import { isRetired } from './retired-sku.js';
import { latestVariantName } from './variant-name.js';

// As many as the columns have.
const priceDigitsMax = 10;
const purchaseLimitMax = 1_000_000;

@InputType({
  description:
    'A shop’s offer of a variant. It replaces the former one as a whole: omitted fields are reset.',
})
export class SetOfferInput {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'SKU of the variant.' })
  @OneLine(64)
  sku!: string;

  @Field(() => Decimal, {
    description:
      'Price of one unit in the shop’s currency: at most 10 digits before the decimal point, and no more decimals than the currency allows.',
  })
  @Amount(priceDigitsMax)
  price!: string;

  @Field(() => Decimal, {
    nullable: true,
    description:
      'Higher price to show beside it: the former price, or the price elsewhere. Must be above `price`.',
  })
  @IsOptional()
  @Amount(priceDigitsMax)
  compareAtPrice?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum number of units per customer, 1 to 1,000,000; no limit if omitted.',
  })
  @IsOptional()
  @Min(1)
  @Max(purchaseLimitMax)
  purchaseLimit?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Maximum number of units that a customer may hold in unpaid orders, 1 to 1,000,000, if it is above the limit of the system; that limit if omitted.',
  })
  @IsOptional()
  @Min(1)
  @Max(purchaseLimitMax)
  holdLimit?: number | null;

  @Field(() => Boolean, { defaultValue: true, description: 'Whether the offer can be bought.' })
  active!: boolean;
}

/**
 * Creates or replaces the one offer of a shop for a variant. A removed one is restored.
 *
 * @throws `NOT_FOUND` and `FORBIDDEN` for the shop, `BAD_USER_INPUT` for a sku that does not exist or was removed, for
 *   a `compareAtPrice` that is not above the price, for prices that the currency of the shop cannot express, and for a
 *   price below that of a sale that the offer is in; `CONFLICT` to deactivate it meanwhile
 */
export async function setOffer(context: ShopContext, input: SetOfferInput): Promise<OfferRow> {
  const { sku, price, compareAtPrice = null, purchaseLimit = null } = input;
  if (compareAtPrice !== null && new Big(compareAtPrice).lte(price)) {
    throw badInput({ 'input.compareAtPrice': 'must be above the price' });
  }
  const shop = await requireOwnShop(context, input.shopId);
  requireChargeable(input, shop.currencyCode);
  const name = await fetchVariantName(context.app.product, sku);
  if (!name) throw badInput({ 'input.sku': `there is no variant ${sku}` });
  return transact(context.em, async (tx) => {
    await shareSku(tx, sku);
    if (await isRetired(tx, sku)) throw badInput({ 'input.sku': `the variant ${sku} was removed` });
    const latest = (await latestVariantName(tx, sku)) ?? name;
    const offer = {
      id: newId(),
      shop_id: shop.id,
      sku,
      name: latest,
      words: offerWords(latest, sku),
      price_amount: price,
      compare_at_amount: compareAtPrice,
      currency_code: shop.currencyCode,
      purchase_limit: purchaseLimit,
      hold_limit: input.holdLimit ?? null,
      active: input.active,
    };
    const offers = await sql<OfferRow>(
      tx,
      `insert into offer (id, shop_id, sku, name, words, price_amount, compare_at_amount, currency_code,
         purchase_limit, hold_limit, active)
       select * from jsonb_to_record($1) as given (id uuid, shop_id uuid, sku text, name text,
         words tsvector, price_amount numeric, compare_at_amount numeric, currency_code text, purchase_limit int,
         hold_limit int, active boolean)
       on conflict (shop_id, sku) do update set (name, words, price_amount, compare_at_amount,
         currency_code, purchase_limit, hold_limit, active, removed_at, version, updated_at)
       = (excluded.name, excluded.words, excluded.price_amount, excluded.compare_at_amount,
         excluded.currency_code, excluded.purchase_limit, excluded.hold_limit, excluded.active, null, offer.version + 1, now())
       returning ${offerColumns}`,
      [JSON.stringify(offer)],
    );
    await requireSaleAllows(tx, offers[0] as OfferRow);
    await enqueueOfferChanged(tx, offers);
    return offers[0] as OfferRow;
  });
}

/** @throws `BAD_USER_INPUT` for prices that cannot be charged in the shop's currency */
function requireChargeable({ price, compareAtPrice }: SetOfferInput, currencyCode: string): void {
  // Shops from before the rule may have any code.
  const ofShop = findCurrencyProblem(currencyCode);
  if (ofShop) throw badInput({ 'input.shopId': ofShop });
  const fields: Record<string, string> = {};
  for (const [field, amount] of Object.entries({ price, compareAtPrice })) {
    const problem = amount ? findAmountProblem(amount, currencyCode) : null;
    if (problem) fields[`input.${field}`] = problem;
  }
  if (Object.keys(fields).length > 0) throw badInput(fields);
}

/** @throws for a price below that of its sale, and for one that is deactivated meanwhile */
async function requireSaleAllows(tx: EntityManager, offer: OfferRow): Promise<void> {
  const sale = await findSaleOfOffer(tx, offer);
  if (!sale) return;
  if (!offer.active) throw inSale(sale);
  if (new Big(offer.priceAmount).lt(sale.priceAmount))
    throw badInput({
      'input.price': `must not be below the price in the sale “${sale.name}”, ${printAmount(sale.priceAmount, offer.currencyCode)}`,
    });
}

const nameTimeoutMs = 3000;

/** @returns `Product name, variant name`, or null where the sku does not exist */
async function fetchVariantName(product: ServiceClient, sku: string): Promise<string | null> {
  const options = { timeoutMs: nameTimeoutMs, repeatable: true };
  const [variant] = await product.call(variantNames, { of: [variantKey(sku)] }, options);
  return variant ? `${variant.product.name}, ${variant.name}` : null;
}
