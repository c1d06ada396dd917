import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ProductContext } from '../context.js';
import { AddVariantInput, addVariant } from './editing/add-variant.js';
import { removeVariant } from './editing/remove-variant.js';
import { UpdateVariantInput, updateVariant } from './editing/update-variant.js';
import { Product } from './product.js';
import { loadProducts } from './read-products.js';
import { loadVariantsForSale } from './read-variants.js';
import { ProductVariant } from './variant.js';

@Resolver(() => ProductVariant)
export class VariantResolver {
  @Allow('anyone')
  @Query(() => ProductVariant, { nullable: true, description: 'One variant.' })
  variant(
    @Arg('sku', () => String, { description: 'Its sku.' }) sku: string,
    @Ctx() context: ProductContext,
  ) {
    return loaderOf(context, loadVariantsForSale).load(sku);
  }

  @Allow('creator')
  @Mutation(() => ProductVariant, { description: 'Adds a variant to a product of one’s own.' })
  addVariant(
    @Arg('input', () => AddVariantInput) input: AddVariantInput,
    @Ctx() context: ProductContext,
  ) {
    return addVariant(context, input);
  }

  @Allow('creator')
  @Mutation(() => ProductVariant, { description: 'Changes a variant of a product of one’s own.' })
  updateVariant(
    @Arg('input', () => UpdateVariantInput) input: UpdateVariantInput,
    @Ctx() context: ProductContext,
  ) {
    return updateVariant(context, input);
  }

  @Allow('creator')
  @Mutation(() => Boolean, {
    description: 'Removes a variant of a product of one’s own; all offers of it end.',
  })
  removeVariant(
    @Arg('sku', () => String, { description: 'Its sku; nothing else ever gets it.' }) sku: string,
    @Ctx() context: ProductContext,
  ) {
    return removeVariant(context, sku);
  }

  @Allow('anyone')
  @FieldResolver(() => Product, { description: 'The product it is a variant of.' })
  product(@Root() variant: ProductVariant, @Ctx() context: ProductContext) {
    return loaderOf(context, loadProducts).load(variant.productId);
  }
}
