import type { EntityManager } from '@mikro-orm/postgresql';
import { productColumns, readProducts } from '../product/read-products.js';
import { type Bind, condition, parameters } from './filter-conditions.js';
import type { PlacedRow, ProductPageQuery } from './product-query.js';

/** @param also SQL for a further condition on `p` */
export function readNewest(
  em: EntityManager,
  { after, limit, ...query }: Omit<ProductPageQuery, 'sort'>,
  also: (bind: Bind) => string = () => 'true',
): Promise<PlacedRow[]> {
  const { values, bind } = parameters();
  return readProducts(
    em,
    `select ${productColumns}, null as value from product as p
     where ${condition(query, bind)} and ${also(bind)}
       and ${after ? `p.id < ${bind(after.id)}::uuid` : 'true'}
     order by p.id desc limit ${bind(limit)}`,
    values,
  );
}
