import { IsOptional, Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import type { ShopContext } from '../context.js';
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
  @Length(1, 255)
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
export async function updateShop(
  context: ShopContext,
  { id, name, slug }: UpdateShopInput,
): Promise<Shop> {
  const em = context.em.fork();
  const shop = await requireOwnShop({ ...context, em }, id);
  shop.name = name ?? shop.name;
  shop.slug = slug ?? shop.slug;
  await em.flush().catch((error) => throwSlugTaken(error, shop.slug));
  return shop;
}
