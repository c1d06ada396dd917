import { sql } from '../../shared/database/sql.js';
import { type PageArgs, pageRequest } from '../../shared/graphql/connection.js';
import { type BatchLoad, loaderOf } from '../../shared/graphql/context.js';
import { loadPages, type PageOfParent } from '../../shared/graphql/load-pages.js';
import { subtreeIdsSql } from '../category/category.js';
import type { ProductContext } from '../context.js';
import { type ProductRow, productColumns, toProductRow } from '../product/read-products.js';
import type { ProductPage } from './list-products.js';

/**
 * A page of the products of a category and of those below it, newest first.
 *
 * @throws `BAD_USER_INPUT` for an invalid page size or cursor
 */
export async function productsOfCategory(
  context: ProductContext,
  categoryId: string,
  { first, after }: PageArgs,
): Promise<ProductPage> {
  const page = { parentId: categoryId, ...pageRequest(first, after) };
  const connection = await loaderOf(context, loadCategoryPages).load(page);
  return { ...connection, count: () => loaderOf(context, loadCounts).load(categoryId) };
}

/**
 * The pages of many categories, in one statement. The newest ids of each category below one are read by
 * `product_category_newest`: for all of them at once PostgreSQL would read the newest products of the
 * catalogue until the page is full, which takes very long where few are in these categories.
 */
const loadCategoryPages = loadPages<PageOfParent, ProductRow>({
  order: 'desc',
  sqlOf: () => ({
    select: `select ${productColumns} from product as p where p.id = any (array(
      select newest.id from (${subtreeIdsSql('parent.id')}) as category cross join lateral (
        select id from product
        where category_id = category.id and deleted_at is null and ($2::uuid is null or id < $2)
        order by id desc limit $3) as newest
      order by newest.id desc limit $3))`,
  }),
  toRow: (row) => toProductRow(row as ProductRow),
});

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
