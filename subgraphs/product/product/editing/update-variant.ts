import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { transact } from '../../../shared/database/transact.js';
import { OneLine } from '../../../shared/graphql/validation.js';
import type { ProductContext } from '../../context.js';
import { OptionList, type ProductVariant, VariantOption } from '../variant.js';
import { requireOwnVariant } from './require-own.js';
import { enqueueVariantRenamed } from './variant-renamed.js';

@InputType({ description: 'Changes to a variant. Omitted and null fields keep their value.' })
export class UpdateVariantInput {
  @Field(() => String, { description: 'SKU of the variant; it never changes.' })
  @OneLine(64)
  sku!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the variant, without the product’s, 1 to 255 characters.',
  })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => [VariantOption], {
    nullable: true,
    description: 'Options that distinguish the variant, at most 20. They replace the former ones.',
  })
  @IsOptional()
  @OptionList()
  options?: VariantOption[] | null;
}

/** @throws `NOT_FOUND`, `FORBIDDEN` for another vendor's product */
export function updateVariant(
  context: ProductContext,
  { sku, name, options }: UpdateVariantInput,
): Promise<ProductVariant> {
  return transact(context.em, async (tx) => {
    const variant = await requireOwnVariant(context, tx, sku);
    const isRenamed = Boolean(name) && name !== variant.name;
    variant.name = name ?? variant.name;
    variant.options = options ?? variant.options;
    if (isRenamed) {
      await tx.flush();
      await enqueueVariantRenamed(tx, variant.productId, sku);
    }
    return variant;
  });
}
