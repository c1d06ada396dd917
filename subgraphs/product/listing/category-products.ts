import { sql } from '../../shared/database/sql.js';
import { pageRequest } from '../../shared/graphql/connection.js';
import { type BatchLoad, loaderOf } from '../../shared/graphql/context.js';
import { subtreeIdsSql } from '../category/category.js';
import type { ProductContext } from '../context.js';
import { productColumns, readProducts } from '../product/read-products.js';
import { placeOf } from './cursor.js';
import { type ProductPage, toPage } from './list-products.js';
import { ProductSort } from './product-filter.js';
import type { PlacedRow } from './product-query.js';

/**
 * A page of the products of a category and of those below it, newest first.
 *
 * @throws `BAD_USER_INPUT` for an invalid page size or cursor
 */
export async function productsOfCategory(
  context: ProductContext,
  categoryId: string,
  args: { readonly first: number; readonly after?: string | null | undefined },
): Promise<ProductPage> {
  const { first } = pageRequest(args.first, null);
  const afterId = placeOf(ProductSort.NEWEST, args.after)?.id ?? null;
  const key = { categoryId, limit: first + 1, afterId };
  const rows = await loaderOf(context, loadPages).load(key);
  const count = () => loaderOf(context, loadCounts).load(categoryId);
  return toPage(rows, first, ProductSort.NEWEST, count);
}

interface PageOf {
  readonly categoryId: string;
  readonly limit: number;
  readonly afterId: string | null;
}

/** The pages of many categories, in one statement. */
const loadPages: BatchLoad<PageOf, PlacedRow[], ProductContext> = async (keys, { em }) => {
  const rows = await readProducts<PlacedRow & { at: number }>(
    em,
    `select found.*, page.at::int from
       unnest($1::uuid[], $2::int[], $3::uuid[]) with ordinality as page (category_id, size, after_id, at)
     cross join lateral (
       select ${productColumns}, null as value from product as p
       where p.deleted_at is null and p.category_id = any (array(${subtreeIdsSql('page.category_id')}))
         and (page.after_id is null or p.id < page.after_id)
       order by p.id desc limit page.size) as found
     order by page.at, found.id desc`,
    [
      keys.map(({ categoryId }) => categoryId),
      keys.map(({ limit }) => limit),
      keys.map(({ afterId }) => afterId),
    ],
  );
  const byPlace = Map.groupBy(rows, ({ at }) => at);
  return keys.map((_, at) => byPlace.get(at + 1) ?? []);
};

const loadCounts: BatchLoad<string, number, ProductContext> = async (ids, { em }) => {
  const rows = await sql<{ count: number }>(
    em,
    `select (select count(*)::int from product as p where p.deleted_at is null
       and p.category_id = any (array(${subtreeIdsSql('wanted.category_id')}))) as count
     from unnest($1::uuid[]) with ordinality as wanted (category_id, at) order by at`,
    [ids],
  );
  return rows.map(({ count }) => count);
};
