import { Arg, Authorized, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type BatchLoad, inOrderOf, loaderOf } from '../../shared/context.js';
import type { ProductContext } from '../context.js';
import { Product } from '../product/product.js';
import { loadProducts } from '../product/product.resolver.js';
import { AddVariantInput, addVariant } from './add-variant.js';
import { ProductVariant } from './variant.js';

export const loadVariants: BatchLoad<string, ProductVariant | null, ProductContext> = async (
  skus,
  { em },
) => {
  const rows = await em.find(ProductVariant, { sku: { $in: [...skus] } });
  return inOrderOf(skus, rows, (row) => row.sku);
};

export const loadVariantsOfProducts: BatchLoad<string, ProductVariant[], ProductContext> = async (
  productIds,
  { em },
) => {
  const where = { productId: { $in: [...productIds] } };
  const rows = await em.find(ProductVariant, where, { orderBy: { sku: 'asc' } });
  const byProduct = Map.groupBy(rows, (row) => row.productId);
  return productIds.map((id) => byProduct.get(id) ?? []);
};

@Resolver(() => ProductVariant)
export class VariantResolver {
  @Query(() => ProductVariant, { nullable: true, description: 'One variant.' })
  variant(
    @Arg('sku', () => String, { description: 'Its sku.' }) sku: string,
    @Ctx() context: ProductContext,
  ) {
    return loaderOf(context, loadVariants).load(sku);
  }

  @Authorized('vendor')
  @Mutation(() => ProductVariant, { description: 'Adds a variant to a product of one’s own.' })
  addVariant(
    @Arg('input', () => AddVariantInput) input: AddVariantInput,
    @Ctx() context: ProductContext,
  ) {
    return addVariant(context, input);
  }

  @FieldResolver(() => Product, { description: 'The product it is a variant of.' })
  product(@Root() variant: ProductVariant, @Ctx() context: ProductContext) {
    return loaderOf(context, loadProducts).load(variant.productId);
  }
}
