import type { EntityManager } from '@mikro-orm/postgresql';
import { ArrayMaxSize, ValidateNested } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { variantsMax } from '../../../contracts/product.js';
import { isUniqueViolation } from '../../../shared/database/errors.js';
import { type Once, transact } from '../../../shared/database/transact.js';
import { badInput, conflict } from '../../../shared/errors.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { KeyField } from '../../../shared/idempotency/key-field.js';
import type { ProductContext } from '../../context.js';
import { ProductVariant, VariantInput } from '../variant.js';
import { requireOwnProduct } from './require-own.js';

@InputType({ description: 'A new variant of an existing product.' })
export class AddVariantInput {
  @Field(() => UUID, { description: 'The product.' })
  productId!: string;

  @Field(() => VariantInput, { description: 'The variant.' })
  @ValidateNested()
  variant!: VariantInput;

  @KeyField()
  idempotencyKey?: string | null;
}

/**
 * @throws `NOT_FOUND`, `FORBIDDEN` for another vendor's product, `CONFLICT` for a sku that is taken
 *   and for a product that already has 100 variants
 */
export function addVariant(
  context: ProductContext,
  { productId, variant }: AddVariantInput,
  once?: Once<ProductVariant>,
): Promise<ProductVariant> {
  const work = async (tx: EntityManager) => {
    await requireOwnProduct(context, tx, productId);
    const count = await tx.count(ProductVariant, { productId, deletedAt: null });
    if (count >= variantsMax)
      throw conflict(`The product already has ${count} variants, the maximum. Remove one first.`);
    const [added] = newVariants(tx, productId, [variant]);
    await tx.flush().catch(throwSkuTaken);
    return added as ProductVariant;
  };
  return transact(context.em, work, once);
}

/** @throws `BAD_USER_INPUT` for a sku that occurs twice */
export function newVariants(em: EntityManager, productId: string, variants: VariantInput[]) {
  for (const [at, { sku }] of variants.entries()) {
    if (variants.findIndex((each) => each.sku === sku) === at) continue;
    throw badInput({ [`input.variants[${at}].sku`]: `${sku} occurs twice` });
  }
  const created = variants.map(({ sku, name, options }) =>
    em.create(ProductVariant, { sku, name, options, productId }),
  );
  em.persist(created);
  return created;
}

/** Throws `CONFLICT` for a sku that is taken, and any other error unchanged. */
export function throwSkuTaken(error: unknown): never {
  if (!isUniqueViolation(error, 'product_variant_pkey')) throw error;
  const { detail = '' } = error as { detail?: string };
  const sku = /\(sku\)=\((.*)\)/.exec(detail)?.[1] ?? '';
  throw conflict(`The SKU ${sku} is taken, and SKUs are never reused. Choose another.`);
}

/** Validates a list of variants. */
export const VariantList = () => (target: object, name: string) => {
  ValidateNested({ each: true })(target, name);
  ArrayMaxSize(variantsMax)(target, name);
};
