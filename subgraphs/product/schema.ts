import { idsOf } from '../shared/graphql/entities.js';
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
import type { ProductVariant } from './product/variant.js';
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
    Product: (references, context: ProductContext) => loadProducts(idsOf(references), context),
    // The router resolves what orders and offers refer to, removed variants too. Shops and warehouses
    // check whether they may offer or stock a sku: for them a removed variant does not exist.
    ProductVariant(references, context: ProductContext) {
      const load = context.caller === 'router' ? loadVariants : loadVariantsForSale;
      return load(
        references.map(({ sku }) => sku as string),
        context,
      );
    },
    Category: (references, context: ProductContext) => loadCategories(idsOf(references), context),
  },
  fields: {
    'ProductVariant.product': (variants: readonly ProductVariant[], context: ProductContext) =>
      loadProducts(
        variants.map(({ productId }) => productId),
        context,
      ),
  },
};
