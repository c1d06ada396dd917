import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/context.js';
import { loadAllBy, loadBy } from '../../shared/load.js';
import { Allow } from '../../shared/rights.js';
import type { ProductContext } from '../context.js';
import { Product } from '../product/product.js';
import { loadProducts } from '../product/product.resolver.js';
import { AddVariantInput, addVariant } from './add-variant.js';
import { ProductVariant } from './variant.js';

export const loadVariants = loadBy(ProductVariant, 'sku');

export const loadVariantsOfProducts = loadAllBy(ProductVariant, 'productId', { sku: 'asc' });

@Resolver(() => ProductVariant)
export class VariantResolver {
  @Allow('anyone')
  @Query(() => ProductVariant, { nullable: true, description: 'One variant.' })
  variant(
    @Arg('sku', () => String, { description: 'Its sku.' }) sku: string,
    @Ctx() context: ProductContext,
  ) {
    return loaderOf(context, loadVariants).load(sku);
  }

  @Allow('creator')
  @Mutation(() => ProductVariant, { description: 'Adds a variant to a product of one’s own.' })
  addVariant(
    @Arg('input', () => AddVariantInput) input: AddVariantInput,
    @Ctx() context: ProductContext,
  ) {
    return addVariant(context, input);
  }

  @Allow('anyone')
  @FieldResolver(() => Product, { description: 'The product it is a variant of.' })
  product(@Root() variant: ProductVariant, @Ctx() context: ProductContext) {
    return loaderOf(context, loadProducts).load(variant.productId);
  }
}
