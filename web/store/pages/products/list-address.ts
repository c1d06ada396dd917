import type { ProductFilter, ProductSort } from '../../graph/operations.js';

/** What the list shows: the parameters in the address of the page. */
export interface ListChoice {
  readonly search: string;
  readonly categoryId: string;
  readonly minPrice: string;
  readonly maxPrice: string;
  readonly inStock: boolean;
  readonly sort: ProductSort;
}

export const sorts: Readonly<Record<ProductSort, string>> = {
  RELEVANCE: 'Best match',
  NEWEST: 'Newest',
  PRICE_ASC: 'Price, low to high',
  PRICE_DESC: 'Price, high to low',
  NAME: 'Name',
};

const isSort = (text: string | undefined): text is ProductSort =>
  text !== undefined && Object.hasOwn(sorts, text);

const isUuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
const isPrice = (text: string) => /^\d{1,10}(\.\d{1,2})?$/.test(text);

/** Best match first in a search, else newest first. */
export const defaultSort = (search: string): ProductSort =>
  search.trim() ? 'RELEVANCE' : 'NEWEST';

export function readChoice(query: Readonly<Record<string, string>>): ListChoice {
  const { q = '', category = '', min = '', max = '', stock, sort } = query;
  return {
    search: q,
    categoryId: category,
    minPrice: min,
    maxPrice: max,
    inStock: stock === 'in',
    sort: isSort(sort) ? sort : defaultSort(q),
  };
}

/** The choice in the address now, which may be newer than what is shown. */
export function currentChoice(): ListChoice {
  const { pathname, search } = window.location;
  return readChoice(pathname === '/' ? Object.fromEntries(new URLSearchParams(search)) : {});
}

export function addressOf(choice: ListChoice): string {
  const { search, categoryId, minPrice, maxPrice, inStock, sort } = choice;
  const parameters = new URLSearchParams();
  if (search) parameters.set('q', search);
  if (categoryId) parameters.set('category', categoryId);
  if (minPrice) parameters.set('min', minPrice);
  if (maxPrice) parameters.set('max', maxPrice);
  if (inStock) parameters.set('stock', 'in');
  if (sort !== defaultSort(search)) parameters.set('sort', sort);
  const text = parameters.toString();
  return text ? `/?${text}` : '/';
}

/** Whether nothing can match, because the lowest price is above the highest. */
export const isEmptyRange = ({ minPrice, maxPrice }: ListChoice) =>
  isPrice(minPrice) && isPrice(maxPrice) && Number(minPrice) > Number(maxPrice);

/** Prices that are not complete yet are left out. */
export function filterOf(choice: ListChoice): ProductFilter {
  const { search, categoryId, minPrice, maxPrice, inStock } = choice;
  return {
    ...(search.trim() && { search: [...search].slice(0, 200).join('') }),
    ...(isUuid(categoryId) && { categoryId }),
    ...(isPrice(minPrice) && { minPrice }),
    ...(isPrice(maxPrice) && { maxPrice }),
    ...(inStock && { inStock: true }),
  };
}
