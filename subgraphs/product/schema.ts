import { loaderOf } from '../shared/context.js';
import type { SchemaSource } from '../shared/schema.js';
import { CategoryResolver, loadCategories } from './category/category.resolver.js';
import type { ProductContext } from './context.js';
import { loadProducts, ProductResolver } from './product/product.resolver.js';
import { loadVariants, VariantResolver } from './variant/variant.resolver.js';

export const source: SchemaSource = {
  resolvers: [ProductResolver, VariantResolver, CategoryResolver],
  references: {
    Product: ({ id }, context: ProductContext) =>
      loaderOf(context, loadProducts).load(id as string),
    ProductVariant: ({ sku }, context: ProductContext) =>
      loaderOf(context, loadVariants).load(sku as string),
    Category: ({ id }, context: ProductContext) =>
      loaderOf(context, loadCategories).load(id as string),
  },
};
