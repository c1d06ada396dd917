import { currencyDefault } from '../../shared/money.js';
import type { ProductFilter } from './product-filter.js';
import type { ProductQuery } from './product-query.js';

/** The parameters of one statement: `bind` gives the SQL that stands for a value. */
export function parameters() {
  const values: unknown[] = [];
  return { values, bind: (value: unknown) => `$${values.push(value)}` };
}
export type Bind = ReturnType<typeof parameters>['bind'];

const isGiven = (value: unknown) => value !== null && value !== undefined;

export const currencyOf = ({ currencyCode }: ProductFilter) => currencyCode ?? currencyDefault;

/** Whether nothing but an offer in the filter's currency satisfies it. */
export const requiresCurrency = ({ minPrice, maxPrice, currencyCode }: ProductFilter) =>
  [minPrice, maxPrice, currencyCode].some(isGiven);

/** SQL for what is asked of a product `p` by itself. */
export function productCondition(
  { categoryIds, tsquery }: Pick<ProductQuery, 'categoryIds' | 'tsquery'>,
  bind: Bind,
): string {
  const conditions = ['p.deleted_at is null'];
  if (categoryIds) conditions.push(`p.category_id = any (${bind(categoryIds)}::uuid[])`);
  if (tsquery !== null) conditions.push(`p.search @@ ${bind(tsquery)}::tsquery`);
  return conditions.join(' and ');
}

/** @returns SQL for what is asked of an offer by the name that is given */
export function offerCondition(filter: ProductFilter, bind: Bind): (name: string) => string {
  const { minPrice, maxPrice, inStock, shopId } = filter;
  const conditions = ['active'];
  if (requiresCurrency(filter)) conditions.push(`currency_code = ${bind(currencyOf(filter))}`);
  if (isGiven(minPrice)) conditions.push(`price_amount >= ${bind(minPrice)}::numeric`);
  if (isGiven(maxPrice)) conditions.push(`price_amount <= ${bind(maxPrice)}::numeric`);
  if (isGiven(inStock)) conditions.push(`in_stock = ${bind(inStock)}::boolean`);
  if (isGiven(shopId)) conditions.push(`shop_id = ${bind(shopId)}::uuid`);
  return (name) => conditions.map((each) => `${name}.${each}`).join(' and ');
}

/** The columns of `listed_price` for the offers that a filter asks for, whatever their price. */
export function priceColumns({ inStock }: ProductFilter) {
  const of = !isGiven(inStock) ? '' : inStock ? '_in_stock' : '_sold_out';
  return { lowest: `lowest${of}`, highest: `highest${of}` };
}

/** Whether the summary can tell: it is one of all shops. */
export const isSummarized = ({ shopId }: ProductFilter) => !isGiven(shopId);

/**
 * @returns SQL for a row `s` of `listed_price` with an offer that satisfies the filter. Only for a
 *   range of prices that lies between the lowest and the highest the offers are looked at.
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

/** SQL for all that is asked of a product `p`, that it has such an offer included. */
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
 * SQL for how many products there are that satisfy all that is asked. What is asked of offers alone is
 * counted without the products: what is deleted has no active offer.
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
