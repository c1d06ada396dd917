import { loaderOf } from '../shared/graphql/context.js';
import type { SchemaSource } from '../shared/graphql/schema.js';
import { CategoryResolver, loadCategories } from './category/category.resolver.js';
import type { ProductContext } from './context.js';
import {
  CategoryProductsResolver,
  ListingResolver,
  ProductConnectionResolver,
} from './listing/listing.resolver.js';
import { ProductEditingResolver } from './product/editing/product-editing.resolver.js';
import { ProductResolver } from './product/product.resolver.js';
import { loadProducts } from './product/read-products.js';
import { loadVariants, loadVariantsForSale } from './product/read-variants.js';
import { VariantResolver } from './product/variant.resolver.js';

export const source: SchemaSource = {
  resolvers: [
    CategoryResolver,
    ProductResolver,
    VariantResolver,
    ProductEditingResolver,
    ListingResolver,
    CategoryProductsResolver,
    ProductConnectionResolver,
  ],
  references: {
    Product: ({ id }, context: ProductContext) =>
      loaderOf(context, loadProducts).load(id as string),
    // The router resolves what orders and offers refer to, removed variants too. Shops and warehouses
    // check whether they may offer or stock a sku: for them a removed variant does not exist.
    ProductVariant: ({ sku }, context: ProductContext) =>
      loaderOf(context, context.caller === 'router' ? loadVariants : loadVariantsForSale).load(
        sku as string,
      ),
    Category: ({ id }, context: ProductContext) =>
      loaderOf(context, loadCategories).load(id as string),
  },
};
