import { Length, Matches } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { v7 as uuidv7 } from 'uuid';
import { badInput } from '../../shared/errors.js';
import { Decimal, UUID } from '../../shared/scalars.js';
import type { ServiceClient } from '../../shared/service-client.js';
import type { ShopContext } from '../context.js';
import { ownShop } from '../shop/own-shop.js';
import { Offer } from './offer.js';

@InputType({ description: 'A shop’s price for a variant.' })
export class SetOfferInput {
  @Field(() => UUID, { description: 'The shop that sells.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant that is sold.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Decimal, {
    description: 'The price in the currency of the shop, two decimals at most.',
  })
  @Matches(/^\d{1,10}(\.\d{1,2})?$/, { message: 'must be 0 or more, with at most two decimals' })
  price!: string;

  @Field(() => Boolean, { defaultValue: true, description: 'Whether it can be bought.' })
  active!: boolean;
}

/**
 * Creates or changes the one offer of a shop for a variant.
 *
 * @throws `NOT_FOUND` and `FORBIDDEN` for the shop, `BAD_USER_INPUT` for a sku that does not exist
 */
export async function setOffer(context: ShopContext, input: SetOfferInput): Promise<Offer> {
  const shop = await ownShop(context, input.shopId);
  const name = await variantName(context.app.product, input.sku);
  if (!name) throw badInput({ 'input.sku': `there is no variant ${input.sku}` });
  const now = new Date();
  return context.em.fork().upsert(
    Offer,
    {
      id: uuidv7(),
      shopId: shop.id,
      sku: input.sku,
      name,
      priceAmount: input.price,
      currencyCode: shop.currencyCode,
      active: input.active,
      createdAt: now,
      updatedAt: now,
    },
    { onConflictFields: ['shopId', 'sku'], onConflictExcludeFields: ['id', 'createdAt'] },
  );
}

const nameTimeoutMs = 3000;

interface VariantEntity {
  name: string;
  product: { name: string };
}

/** @returns `Product name, variant name`, or null where the sku does not exist */
async function variantName(product: ServiceClient, sku: string): Promise<string | null> {
  const { _entities } = await product.call<{ _entities: (VariantEntity | null)[] }>(
    `query ($of: [_Any!]!) {
       _entities(representations: $of) { ... on ProductVariant { name product { name } } }
     }`,
    { of: [{ __typename: 'ProductVariant', sku }] },
    { timeoutMs: nameTimeoutMs, repeatable: true },
  );
  const variant = _entities[0];
  return variant ? `${variant.product.name}, ${variant.name}` : null;
}
