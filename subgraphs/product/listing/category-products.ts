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

/** The pages of many categories, in one statement. */
const loadCategoryPages = loadPages<PageOfParent, ProductRow>({
  order: 'desc',
  sqlOf: () => ({
    select: `select ${productColumns} from product as p
      where p.deleted_at is null and p.category_id = any (array(${subtreeIdsSql('parent.id')}))`,
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
