import { Length, Matches } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { event } from '../../contracts/events.js';
import { identityOf } from '../../shared/auth/callers.js';
import { currencyDefault } from '../../shared/currencies.js';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { conflict } from '../../shared/errors.js';
import { CurrencyCode, OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { newId } from '../../shared/ids.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import type { ShopContext } from '../context.js';
import { shopWords } from '../search.js';
import { Shop } from './shop.js';

/** Shops of one vendor; some more if several are created at the same time. */
const ownedMax = 1000;
/** Length of the list of a vendor’s shops. */
export const shopsMax = 2 * ownedMax;

/** Validates a slug. */
export function SlugRule(): PropertyDecorator {
  const rules = [
    Matches(/^[a-z0-9]+(-[a-z0-9]+)*$/, { message: 'must consist of a-z, 0-9 and single dashes' }),
    Length(1, 100),
  ];
  return (target, property) => {
    for (const rule of rules) rule(target, property as string);
  };
}

@InputType({ description: 'A new shop.' })
export class CreateShopInput {
  @Field(() => String, { description: 'Name, 1 to 255 characters.' })
  @OneLine(255)
  name!: string;

  @Field(() => String, {
    description: 'URL slug: 1 to 100 characters of a-z, 0-9 and dashes; unique.',
  })
  @SlugRule()
  slug!: string;

  @Field(() => String, {
    defaultValue: currencyDefault,
    description:
      'Currency of all prices (ISO 4217), one that can be charged. It cannot be changed later.',
  })
  @CurrencyCode()
  currencyCode!: string;

  @KeyField()
  idempotencyKey?: string | null;
}

/**
 * Opens a shop and enqueues the event upon which the warehouse subgraph creates its first warehouse.
 *
 * @throws `CONFLICT` for a slug that is taken, and beyond 1,000 shops
 */
export function createShop(
  context: ShopContext,
  { name, slug, currencyCode }: CreateShopInput,
  once?: Once<Shop>,
): Promise<Shop> {
  const ownerId = identityOf(context).id;
  const work = async (tx: typeof context.em) => {
    const count = await tx.count(Shop, { ownerId });
    if (count >= ownedMax) throw conflict(`You have ${count} shops, the maximum.`);
    const words = shopWords(name);
    const shop = tx.create(Shop, { id: newId(), name, words, slug, currencyCode, ownerId });
    await tx.persist(shop).flush();
    await enqueue(tx, [event('shop.shop.created', { shopId: shop.id, name: shop.name, ownerId })]);
    return shop;
  };
  return transact(context.em, work, once).catch((error) => throwSlugTaken(error, slug));
}

/** Throws `CONFLICT` for a slug that is taken, and any other error unchanged. */
export function throwSlugTaken(error: unknown, slug: string): never {
  if (isUniqueViolation(error, 'shop_slug'))
    throw conflict(`The slug ${slug} is taken. Choose another.`);
  throw error;
}
