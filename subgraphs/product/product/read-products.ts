import type { EntityManager } from '@mikro-orm/postgresql';
import { sql, sqlPrepared } from '../../shared/database/sql.js';
import { type BatchLoad, inOrderOf } from '../../shared/graphql/context.js';
import { normalizeSlug } from '../../shared/text/slug.js';
import type { ProductContext } from '../context.js';
import type { Product } from './product.js';

/** A product as plain data, without change tracking. */
export type ProductRow = Pick<
  Product,
  'id' | 'name' | 'slug' | 'description' | 'categoryId' | 'images' | 'createdById'
> & { readonly createdAt: Date; readonly updatedAt: Date };

/** SQL for the columns of a `ProductRow`, of the table alias `p`. */
export const productColumns = `p.id, p.name, p.slug, p.description, p.category_id as "categoryId",
  p.images, p.created_by_id as "createdById", p.created_at as "createdAt",
  p.updated_at as "updatedAt"`;

/** Runs SQL that selects `productColumns`, and possibly more columns. */
export async function readProducts<T extends ProductRow = ProductRow>(
  em: EntityManager,
  text: string,
  values: unknown[],
): Promise<T[]> {
  return (await sql<T>(em, text, values)).map(toProductRow);
}

/** A row of `productColumns`, with its times as `Date`. */
export const toProductRow = <T extends ProductRow>(row: T): T => ({
  ...row,
  createdAt: new Date(row.createdAt),
  updatedAt: new Date(row.updatedAt),
});

/** Products by id, deleted ones too, for references. */
export const loadProducts: BatchLoad<string, ProductRow | null, ProductContext> = async (
  ids,
  { em },
) => {
  const query = `select ${productColumns} from product as p where p.id = any($1::uuid[])`;
  const rows = await sqlPrepared<ProductRow>(em, query, [ids]);
  return inOrderOf(ids, rows.map(toProductRow), ({ id }) => id);
};

/** A product by id or slug, in any normal form and case, unless it was deleted. */
export async function findProduct(
  { em }: ProductContext,
  by: { readonly id: string } | { readonly slug: string },
): Promise<ProductRow | null> {
  const [column, value] = 'id' in by ? ['id', by.id] : ['slug', normalizeSlug(by.slug)];
  const query = `select ${productColumns} from product as p
    where p.${column} = $1 and p.deleted_at is null`;
  return (await readProducts(em, query, [value]))[0] ?? null;
}
