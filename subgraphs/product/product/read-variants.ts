import { sqlPrepared } from '../../shared/database/sql.js';
import { type BatchLoad, inOrderOf } from '../../shared/graphql/context.js';
import { requireRowsWithin, rowsMax } from '../../shared/graphql/rows-max.js';
import type { ProductContext } from '../context.js';
import type { ProductVariant } from './variant.js';

/** A variant as plain data, without change tracking. */
type VariantRow = Pick<ProductVariant, 'sku' | 'productId' | 'name' | 'options'>;

const variants = `select sku, product_id as "productId", name, options from product_variant`;

type LoadVariant = BatchLoad<string, VariantRow | null, ProductContext>;
const bySku = (condition: string): LoadVariant => {
  return async (skus, { em }) => {
    const rows = await sqlPrepared<VariantRow>(em, `${variants} where sku = any($1) ${condition}`, [
      skus,
    ]);
    return inOrderOf(skus, rows, ({ sku }) => sku);
  };
};

/** Variants by sku, removed ones too, for references. */
export const loadVariants = bySku('');

/** Variants by sku; null for those that were removed. */
export const loadVariantsForSale = bySku('and deleted_at is null');

/** The variants of each product that were not removed, sorted by sku. */
export const loadVariantsOfProducts: BatchLoad<string, VariantRow[], ProductContext> = async (
  productIds,
  { em },
) => {
  const rows = await sqlPrepared<VariantRow>(
    em,
    `${variants} where product_id = any($1::uuid[]) and deleted_at is null order by sku
     limit ${rowsMax + 1}`,
    [productIds],
  );
  const byProduct = Map.groupBy(requireRowsWithin(rows), ({ productId }) => productId);
  return productIds.map((id) => byProduct.get(id) ?? []);
};
