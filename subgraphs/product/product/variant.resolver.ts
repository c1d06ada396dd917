import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ProductContext } from '../context.js';
import { Product } from './product.js';
import { loadProducts } from './read-products.js';
import { loadVariantsForSale } from './read-variants.js';
import { ProductVariant } from './variant.js';

@Resolver(() => ProductVariant)
export class VariantResolver {
  @Allow('anyone')
  @Query(() => ProductVariant, {
    nullable: true,
    description: 'A variant by SKU; null if there is none, or it was removed.',
  })
  variant(
    @Arg('sku', () => String, { description: 'SKU of the variant.' }) sku: string,
    @Ctx() context: ProductContext,
  ) {
    return loaderOf(context, loadVariantsForSale).load(sku);
  }

  @Allow('anyone')
  @FieldResolver(() => Product, { description: 'The product.' })
  product(@Root() variant: ProductVariant, @Ctx() context: ProductContext) {
    return loaderOf(context, loadProducts).load(variant.productId);
  }
}
