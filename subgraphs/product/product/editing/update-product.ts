import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { transact } from '../../../shared/database/transact.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { OneLine, Text } from '../../../shared/graphql/validation.js';
import type { ProductContext } from '../../context.js';
import { indexAgain } from '../../search/index-products.js';
import { ImageList, type Product } from '../product.js';
import { requireCategory } from './create-product.js';
import { requireOwnProduct } from './require-own.js';
import { enqueueVariantRenamed } from './variant-renamed.js';

@InputType({ description: 'Changes to a product. Omitted and null fields keep their value.' })
export class UpdateProductInput {
  @Field(() => UUID, { description: 'The product.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'New name, 1 to 255 characters. The slug does not change.',
  })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Description in plain text, 1 to 20,000 characters.',
  })
  @IsOptional()
  @Text(20_000)
  description?: string | null;

  @Field(() => UUID, { nullable: true, description: 'The category.' })
  categoryId?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Image URLs (http or https), at most 20. They replace the former ones.',
  })
  @IsOptional()
  @ImageList()
  images?: string[] | null;
}

/**
 * A new name is sent to the shops; orders keep the name they were placed with.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN` for another vendor's product, `BAD_USER_INPUT` for an unknown category
 */
export function updateProduct(
  context: ProductContext,
  { id, name, description, categoryId, images }: UpdateProductInput,
): Promise<Product> {
  return transact(context.em, async (tx) => {
    const product = await requireOwnProduct(context, tx, id);
    if (categoryId) await requireCategory(tx, categoryId);
    const before = { name: product.name, description: product.description };
    product.name = name ?? product.name;
    product.description = description ?? product.description;
    product.categoryId = categoryId ?? product.categoryId;
    product.images = images ?? product.images;
    await tx.flush();
    const isRenamed = product.name !== before.name;
    if (isRenamed || product.description !== before.description)
      await indexAgain(tx, product, before);
    if (isRenamed) await enqueueVariantRenamed(tx, id);
    return product;
  });
}
