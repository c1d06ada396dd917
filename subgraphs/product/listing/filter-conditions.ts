import { currencyDefault } from '../../shared/currencies.js';
import type { ProductFilter } from './product-filter.js';
import type { ProductQuery } from './product-query.js';

/** Collects the parameters of one statement: `bind` adds a value and returns its placeholder. */
export function parameters() {
  const values: unknown[] = [];
  return { values, bind: (value: unknown) => `$${values.push(value)}` };
}
export type Bind = ReturnType<typeof parameters>['bind'];

const isGiven = (value: unknown) => value !== null && value !== undefined;

export const currencyOf = ({ currencyCode }: ProductFilter) => currencyCode ?? currencyDefault;

/** Whether the filter requires an offer in its currency. */
export const requiresCurrency = ({ minPrice, maxPrice, currencyCode }: ProductFilter) =>
  [minPrice, maxPrice, currencyCode].some(isGiven);

/** SQL for the conditions on a product `p` itself, without its offers. */
export function productCondition(
  { categoryIds, tsquery }: Pick<ProductQuery, 'categoryIds' | 'tsquery'>,
  bind: Bind,
): string {
  const conditions = ['p.deleted_at is null'];
  if (categoryIds) conditions.push(`p.category_id = any (${bind(categoryIds)}::uuid[])`);
  if (tsquery !== null) conditions.push(`p.search @@ ${bind(tsquery)}::tsquery`);
  return conditions.join(' and ');
}

/** @returns SQL for the conditions on an offer, as a function of its alias */
export function offerCondition(filter: ProductFilter, bind: Bind): (alias: string) => string {
  const { minPrice, maxPrice, inStock, shopId } = filter;
  const conditions = ['active'];
  if (requiresCurrency(filter)) conditions.push(`currency_code = ${bind(currencyOf(filter))}`);
  if (isGiven(minPrice)) conditions.push(`price_amount >= ${bind(minPrice)}::numeric`);
  if (isGiven(maxPrice)) conditions.push(`price_amount <= ${bind(maxPrice)}::numeric`);
  if (isGiven(inStock)) conditions.push(`in_stock = ${bind(inStock)}::boolean`);
  if (isGiven(shopId)) conditions.push(`shop_id = ${bind(shopId)}::uuid`);
  return (alias) => conditions.map((each) => `${alias}.${each}`).join(' and ');
}

/** The columns of `listed_price` for the offers that the filter's `inStock` selects. */
export function priceColumns({ inStock }: ProductFilter) {
  const suffix = !isGiven(inStock) ? '' : inStock ? '_in_stock' : '_sold_out';
  return { lowest: `lowest${suffix}`, highest: `highest${suffix}` };
}

/** Whether `listed_price` can answer the filter: it summarizes all shops together. */
export const isSummarized = ({ shopId }: ProductFilter) => !isGiven(shopId);

/**
 * @returns SQL for a row `s` of `listed_price` with an offer that satisfies the filter. Offers are read
 *   only where the filter's price range lies between the lowest and the highest price of the product
 */
export function summaryCondition(filter: ProductFilter, bind: Bind): string {
  const { minPrice, maxPrice } = filter;
  const { lowest, highest } = priceColumns(filter);
  const conditions = [`s.${lowest} is not null`];
  if (requiresCurrency(filter)) conditions.push(`s.currency_code = ${bind(currencyOf(filter))}`);
  if (isGiven(minPrice)) conditions.push(`s.${highest} >= ${bind(minPrice)}::numeric`);
  if (isGiven(maxPrice)) conditions.push(`s.${lowest} <= ${bind(maxPrice)}::numeric`);
  if (isGiven(minPrice) && isGiven(maxPrice)) {
    conditions.push(`(s.${lowest} >= ${bind(minPrice)}::numeric or s.${highest} <= ${bind(maxPrice)}::numeric
      or exists (select from offer_listing as o
        where o.product_id = s.product_id and ${offerCondition(filter, bind)('o')}))`);
  }
  return conditions.join(' and ');
}

const requiresOffer = (filter: ProductFilter) =>
  requiresCurrency(filter) || isGiven(filter.inStock) || isGiven(filter.shopId);

/** SQL for all conditions on a product `p`, including those on its offers. */
export function condition(query: ProductQuery, bind: Bind): string {
  const { filter } = query;
  const product = productCondition(query, bind);
  if (!requiresOffer(filter)) return product;
  const offer = isSummarized(filter)
    ? `listed_price as s where s.product_id = p.id and ${summaryCondition(filter, bind)}`
    : `offer_listing as o where o.product_id = p.id and ${offerCondition(filter, bind)('o')}`;
  return `${product} and exists (select from ${offer})`;
}

/**
 * SQL that counts the products that satisfy all conditions. Where all conditions are on offers, products
 * are not read: a deleted product has no active offer.
 */
export function countOf(query: ProductQuery, bind: Bind): string {
  const { filter, categoryIds, tsquery } = query;
  if (!requiresOffer(filter) || categoryIds || tsquery !== null) {
    return `select count(*)::int as count from product as p where ${condition(query, bind)}`;
  }
  const found = isSummarized(filter)
    ? `listed_price as s where ${summaryCondition(filter, bind)}`
    : `offer_listing as o where ${offerCondition(filter, bind)('o')}`;
  if (isSummarized(filter) && requiresCurrency(filter))
    return `select count(*)::int as count from ${found}`;
  return `select count(*)::int as count from (select distinct product_id from ${found}) as found`;
}
