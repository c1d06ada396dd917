import { currencyDefault } from '../../shared/money.js';
import type { ProductFilter } from './product-filter.js';

/** Which products are asked for. */
export interface Asked {
  readonly filter: ProductFilter;
  /**
   * the filter's category and all below it; null: all there are. They are read before: PostgreSQL
   * plans with what it knows of these very ones, where of a subquery it knows nothing.
   */
  readonly categoryIds: readonly string[] | null;
  /** what is searched for as a `tsquery`; null: nothing */
  readonly query: string | null;
}

/** The parameters of one statement: `bind` gives the SQL that stands for a value. */
export function parameters() {
  const values: unknown[] = [];
  return { values, bind: (value: unknown) => `$${values.push(value)}` };
}
export type Bind = ReturnType<typeof parameters>['bind'];

const isGiven = (value: unknown) => value !== null && value !== undefined;

export const currencyOf = ({ currencyCode }: ProductFilter) => currencyCode ?? currencyDefault;

/** Whether nothing but an offer in the filter's currency satisfies it. */
export const asksCurrency = ({ minPrice, maxPrice, currencyCode }: ProductFilter) =>
  [minPrice, maxPrice, currencyCode].some(isGiven);

/** SQL for what is asked of a product `p` by itself. */
export function productCondition(
  { categoryIds, query }: Pick<Asked, 'categoryIds' | 'query'>,
  bind: Bind,
): string {
  const asked = ['p.deleted_at is null'];
  if (categoryIds) asked.push(`p.category_id = any (${bind(categoryIds)}::uuid[])`);
  if (query !== null) asked.push(`p.search @@ ${bind(query)}::tsquery`);
  return asked.join(' and ');
}

/** @returns SQL for what is asked of an offer by the name that is given */
export function offerCondition(filter: ProductFilter, bind: Bind): (name: string) => string {
  const { minPrice, maxPrice, inStock, shopId } = filter;
  const asked = ['active'];
  if (asksCurrency(filter)) asked.push(`currency_code = ${bind(currencyOf(filter))}`);
  if (isGiven(minPrice)) asked.push(`price_amount >= ${bind(minPrice)}::numeric`);
  if (isGiven(maxPrice)) asked.push(`price_amount <= ${bind(maxPrice)}::numeric`);
  if (isGiven(inStock)) asked.push(`in_stock = ${bind(inStock)}::boolean`);
  if (isGiven(shopId)) asked.push(`shop_id = ${bind(shopId)}::uuid`);
  return (name) => asked.map((each) => `${name}.${each}`).join(' and ');
}

/** SQL for all that is asked of a product `p`, that it has such an offer included. */
export function condition(asked: Asked, bind: Bind): string {
  const product = productCondition(asked, bind);
  const { inStock, shopId } = asked.filter;
  const asksOffer = asksCurrency(asked.filter) || isGiven(inStock) || isGiven(shopId);
  if (!asksOffer) return product;
  const offer = offerCondition(asked.filter, bind)('o');
  return `${product} and exists (
    select from offer_listing as o where o.product_id = p.id and ${offer})`;
}
