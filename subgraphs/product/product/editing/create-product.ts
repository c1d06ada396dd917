import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, InputType } from 'type-graphql';
import { identityOf } from '../../../shared/auth/callers.js';
import { type Once, transact } from '../../../shared/database/transact.js';
import { badInput } from '../../../shared/errors.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { OneLine, Text } from '../../../shared/graphql/validation.js';
import { KeyField } from '../../../shared/idempotency/key-field.js';
import { newId } from '../../../shared/ids.js';
import { slugOf } from '../../../shared/text/slug.js';
import { Category } from '../../category/category.js';
import type { ProductContext } from '../../context.js';
import { withFreeSlug } from '../../free-slug.js';
import { indexProducts } from '../../search/index-products.js';
import { ImageList, Product } from '../product.js';
import { VariantInput } from '../variant.js';
import { newVariants, throwSkuTaken, VariantList } from './add-variant.js';

@InputType({ description: 'A new product with its variants.' })
export class CreateProductInput {
  @Field(() => String, { description: 'Name, 1 to 255 characters. The slug is made from it.' })
  @OneLine(255)
  name!: string;

  @Field(() => String, { description: 'Description in plain text, 1 to 20,000 characters.' })
  @Text(20_000)
  description!: string;

  @Field(() => UUID, { description: 'The category.' })
  categoryId!: string;

  @Field(() => [String], {
    defaultValue: [],
    description: 'Image URLs (http or https), at most 20.',
  })
  @ImageList()
  images!: string[];

  @Field(() => [VariantInput], { defaultValue: [], description: 'Variants, at most 100.' })
  @VariantList()
  variants!: VariantInput[];

  @KeyField()
  idempotencyKey?: string | null;
}

/**
 * Creates a product and its variants in one transaction. A slug that is taken gets a suffix.
 *
 * @throws `BAD_USER_INPUT` for an unknown category, `CONFLICT` for a sku that is taken
 */
export function createProduct(
  context: ProductContext,
  input: CreateProductInput,
  once?: Once<Product>,
): Promise<Product> {
  const createdById = identityOf(context).id;
  const create = (slug: string) =>
    transact(context.em, (tx) => insertProduct(tx, input, slug, createdById), once);
  return withFreeSlug(context.em, 'product', slugOf(input.name, 'item'), create);
}

async function insertProduct(
  em: EntityManager,
  input: CreateProductInput,
  slug: string,
  createdById: string,
) {
  await requireCategory(em, input.categoryId);
  const id = newId();
  const product = em.create(Product, {
    id,
    name: input.name,
    slug,
    description: input.description,
    categoryId: input.categoryId,
    images: input.images,
    createdById,
  });
  em.persist(product);
  newVariants(em, id, input.variants);
  await em.flush().catch(throwSkuTaken);
  await indexProducts(em, [product]);
  return product;
}

/** @throws `BAD_USER_INPUT` for an unknown category */
export async function requireCategory(em: EntityManager, id: string): Promise<void> {
  if (await em.findOne(Category, { id })) return;
  throw badInput({ 'input.categoryId': 'there is no such category' });
}
