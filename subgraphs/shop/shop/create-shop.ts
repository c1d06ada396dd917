import { Length, Matches } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { v7 as uuidv7 } from 'uuid';
import { identityOf } from '../../shared/auth.js';
import { isUniqueViolation } from '../../shared/database-errors.js';
import { conflict } from '../../shared/errors.js';
import { currencyDefault } from '../../shared/money.js';
import type { ShopContext } from '../context.js';
import { Shop } from './shop.js';

@InputType({ description: 'A new shop.' })
export class CreateShopInput {
  @Field(() => String, { description: 'Its name, 1 to 255 characters.' })
  @Length(1, 255)
  name!: string;

  @Field(() => String, { description: 'Its name in addresses: a-z, 0-9 and dashes; unique.' })
  @Matches(/^[a-z0-9]+(-[a-z0-9]+)*$/, { message: 'must be made of a-z, 0-9 and single dashes' })
  @Length(1, 100)
  slug!: string;

  @Field(() => String, { defaultValue: currencyDefault, description: 'ISO 4217: three letters.' })
  @Matches(/^[A-Z]{3}$/, { message: 'must be three capital letters, as in ISO 4217' })
  currencyCode!: string;
}

/** @throws `CONFLICT` for a slug that is taken */
export async function createShop(context: ShopContext, input: CreateShopInput): Promise<Shop> {
  const em = context.em.fork();
  const shop = em.create(Shop, {
    ...input,
    id: uuidv7(),
    ownerId: identityOf(context).id,
  });
  try {
    await em.persist(shop).flush();
  } catch (error) {
    if (isUniqueViolation(error, 'shop_slug')) throw conflict(`The slug ${input.slug} is taken.`);
    throw error;
  }
  return shop;
}
