import { type EntityManager, sql } from '../../shared/database.js';
import { type ProductRow, productColumns, readProducts } from '../product/read-products.js';
import {
  type Asked,
  asksCurrency,
  type Bind,
  condition,
  currencyOf,
  offerCondition,
  parameters,
  productCondition,
} from './conditions.js';
import type { Place } from './cursor.js';
import { ProductSort } from './product-filter.js';

export interface AskedPage extends Asked {
  readonly sort: ProductSort;
  /** what it begins behind */
  readonly after: Place | null;
  /** how many rows at most */
  readonly limit: number;
}

/** A product with its value under the sort. */
export type PlacedRow = ProductRow & Place;

export function readPage(em: EntityManager, page: AskedPage): Promise<PlacedRow[]> {
  switch (page.sort) {
    case ProductSort.PRICE_ASC:
      return readByPrice(em, page, { order: 'asc', behind: '>' });
    case ProductSort.PRICE_DESC:
      return readByPrice(em, page, { order: 'desc', behind: '<' });
    case ProductSort.NAME:
      return readByName(em, page);
    case ProductSort.RELEVANCE:
      return readByRank(em, page);
    case ProductSort.NEWEST:
      return readNewest(em, page);
  }
}

/** @param also a further condition, which decides on the page alone */
function readNewest(
  em: EntityManager,
  { after, limit, ...asked }: Omit<AskedPage, 'sort'>,
  also: (bind: Bind) => string = () => 'true',
): Promise<PlacedRow[]> {
  const { values, bind } = parameters();
  return readProducts(
    em,
    `select ${productColumns}, null as value from product as p
     where ${condition(asked, bind)} and ${also(bind)}
       and ${after ? `p.id < ${bind(after.id)}::uuid` : 'true'}
     order by p.id desc limit ${bind(limit)}`,
    values,
  );
}

function readByName(em: EntityManager, { after, limit, ...asked }: AskedPage) {
  const { values, bind } = parameters();
  const behind = after && `> (${bind(after.value)}::text, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, lower(p.name::text) as value from product as p
     where ${condition(asked, bind)}
       and ${behind ? `(lower(p.name::text), p.id) ${behind}` : 'true'}
     order by lower(p.name::text), p.id limit ${bind(limit)}`,
    values,
  );
}

function readByRank(em: EntityManager, { after, limit, ...asked }: AskedPage) {
  const { values, bind } = parameters();
  const rank = `ts_rank(p.search, ${bind(asked.query)}::tsquery)`;
  const behind = after && `< (${bind(after.value)}::real, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, ${rank}::text as value from product as p
     where ${condition(asked, bind)} and ${behind ? `(${rank}, p.id) ${behind}` : 'true'}
     order by ${rank} desc, p.id desc limit ${bind(limit)}`,
    values,
  );
}

interface PriceOrder {
  readonly order: 'asc' | 'desc';
  readonly behind: '<' | '>';
}

/** By the cheapest offer that satisfies the filter; those without a price in the currency are last. */
async function readByPrice(em: EntityManager, page: AskedPage, order: PriceOrder) {
  const isPriced = !page.after || page.after.value !== null;
  const priced = isPriced ? await readPriced(em, page, order) : [];
  const limit = page.limit - priced.length;
  if (limit === 0 || asksCurrency(page.filter)) return priced;
  return [
    ...priced,
    ...(await readUnpriced(em, { ...page, limit, after: isPriced ? null : page.after })),
  ];
}

// About where it costs the same to go along the offers and to look at each product.
const fewProductsMax = 1000;

async function readPriced(em: EntityManager, page: AskedPage, order: PriceOrder) {
  const isNarrow = (page.categoryIds !== null || page.query !== null) && (await areFew(em, page));
  return isNarrow ? readFewPriced(em, page, order) : readManyPriced(em, page, order);
}

async function areFew(em: EntityManager, asked: Asked): Promise<boolean> {
  const { values, bind } = parameters();
  const found = await sql(
    em,
    `select from product as p where ${productCondition(asked, bind)} limit ${bind(fewProductsMax + 1)}`,
    values,
  );
  return found.length <= fewProductsMax;
}

/** Looks at the cheapest offer of each product. */
function readFewPriced(
  em: EntityManager,
  { after, limit, ...asked }: AskedPage,
  { order, behind }: PriceOrder,
) {
  const { values, bind } = parameters();
  const product = productCondition(asked, bind);
  const offer = offerCondition(asked.filter, bind);
  const start = after && `(${bind(after.value)}::numeric, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, cheapest.price_amount::text as value
     from product as p cross join lateral (
       select o.price_amount from offer_listing as o
       where o.product_id = p.id and o.currency_code = ${bind(currencyOf(asked.filter))}
         and ${offer('o')}
       order by o.price_amount limit 1) as cheapest
     where ${product} and ${start ? `(cheapest.price_amount, p.id) ${behind} ${start}` : 'true'}
     order by cheapest.price_amount ${order}, p.id ${order} limit ${bind(limit)}`,
    values,
  );
}

/**
 * Goes along the offers in the order of their price, and takes a product at its cheapest one: a page
 * costs the same wherever it stands, and however many products there are.
 */
function readManyPriced(
  em: EntityManager,
  { after, limit, ...asked }: AskedPage,
  { order, behind }: PriceOrder,
) {
  const { values, bind } = parameters();
  const product = productCondition(asked, bind);
  const offer = offerCondition(asked.filter, bind);
  const currency = bind(currencyOf(asked.filter));
  const start = after && `(${bind(after.value)}::numeric, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, o.price_amount::text as value
     from offer_listing as o join product as p on p.id = o.product_id
     where o.currency_code = ${currency} and ${offer('o')} and ${product}
       and ${start ? `(o.price_amount, o.product_id) ${behind} ${start}` : 'true'}
       and not exists (
         select from offer_listing as c
         where c.product_id = o.product_id and c.currency_code = ${currency} and ${offer('c')}
           and (c.price_amount, c.sku, c.shop_id) < (o.price_amount, o.sku, o.shop_id))
     order by o.price_amount ${order}, o.product_id ${order} limit ${bind(limit)}`,
    values,
  );
}

function readUnpriced(em: EntityManager, page: AskedPage) {
  return readNewest(em, page, (bind) => {
    const offer = offerCondition(page.filter, bind);
    return `not exists (
      select from offer_listing as u where u.product_id = p.id
        and u.currency_code = ${bind(currencyOf(page.filter))} and ${offer('u')})`;
  });
}
