import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { transact } from '../../shared/database/transact.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import type { ShopContext } from '../context.js';
import { shopWords } from '../search.js';
import { SlugRule, throwSlugTaken } from './create-shop.js';
import { requireOwnShop } from './require-shop.js';
import type { Shop } from './shop.js';

@InputType({
  description: 'Changes to a shop. Omitted fields keep their value; the currency never changes.',
})
export class UpdateShopInput {
  @Field(() => UUID, { description: 'The shop.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'New name, 1 to 255 characters.' })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'New URL slug: 1 to 100 characters of a-z, 0-9 and dashes; unique.',
  })
  @IsOptional()
  @SlugRule()
  slug?: string | null;
}

/** @throws `NOT_FOUND` and `FORBIDDEN` for the shop, `CONFLICT` for a slug that is taken */
export function updateShop(
  context: ShopContext,
  { id, name, slug }: UpdateShopInput,
): Promise<Shop> {
  return transact(context.em, async (tx) => {
    const shop = await requireOwnShop({ ...context, em: tx }, id);
    if (name && name !== shop.name) Object.assign(shop, { name, words: shopWords(name) });
    shop.slug = slug ?? shop.slug;
    await tx.flush().catch((error) => throwSlugTaken(error, shop.slug));
    return shop;
  });
}
