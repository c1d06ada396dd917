import type { EntityManager } from '@mikro-orm/postgresql';
import { databaseSchema as productSchema } from '../../subgraphs/product/mikro-orm.config.js';
import {
  indexProducts,
  type SearchedProduct,
} from '../../subgraphs/product/search/index-products.js';
import { connect, disconnect, type Schema } from '../../subgraphs/shared/database/connect.js';
import { isDeadlock } from '../../subgraphs/shared/database/errors.js';
import { sql } from '../../subgraphs/shared/database/sql.js';
import { retrying } from '../../subgraphs/shared/resilience/retry.js';
import { fold, foldCase } from '../../subgraphs/shared/text/fold.js';
import { databaseSchema as shopSchema } from '../../subgraphs/shop/mikro-orm.config.js';
import { offerWords, shopWords } from '../../subgraphs/shop/search.js';
import { databaseSchema as userSchema } from '../../subgraphs/user/mikro-orm.config.js';
import type { DatabaseUrls } from '../databases/urls.js';

/** Rows; with the longest descriptions, a page has two million characters. */
const pageMax = 100;
const deadlocksMax = 5;

/**
 * Writes the search vectors of products, shops and offers and the keys of names of users and categories again:
 * after a version of Node.js with a newer Unicode, or after a change of `subgraphs/shared/text`. Subgraphs may run.
 *
 * @returns the number of rows
 */
export async function rebuildSearch(urls: DatabaseUrls): Promise<number> {
  const products = await rebuildProducts(urls.product);
  const categories = await rebuildCategories(urls.product);
  const sellers = await withDatabase(urls.shop, shopSchema, async (em) => {
    const shops = await rebuild(em, 'shop', ['name'], (tx, rows: Named[]) =>
      write(tx, 'shop', 'words', 'tsvector', rows, ({ name }) => shopWords(name)),
    );
    const wordsOf = ({ name, sku }: NamedOffer) => offerWords(name, sku);
    return (
      shops +
      (await rebuild(em, 'offer', ['name', 'sku'], (tx, rows: NamedOffer[]) =>
        write(tx, 'offer', 'words', 'tsvector', rows, wordsOf),
      ))
    );
  });
  const users = await withDatabase(urls.user, userSchema, (em) =>
    rebuild(em, 'user_account', ['name'], (tx, rows: Named[]) =>
      write(tx, 'user_account', 'name_key', 'text', rows, ({ name }) => fold(name)),
    ),
  );
  return products + categories + sellers + users;
}

/**
 * Of the categories only. Those that had the name of another one below the same parent, before that was refused, have
 * their ids in their keys.
 *
 * @returns their number
 */
export const rebuildCategories = (url: string): Promise<number> =>
  withDatabase(url, productSchema, (em) => em.fork().transactional(writeCategoryKeys));

async function writeCategoryKeys(tx: EntityManager): Promise<number> {
  await sql(tx, 'lock table category in share row exclusive mode');
  const rows = await sql<Named & { readonly parentId: string | null }>(
    tx,
    'select id, name, parent_id as "parentId" from category order by id',
  );
  const taken = new Set<string>();
  const keyed = rows.map((row) => {
    const key = foldCase(row.name);
    const place = JSON.stringify([row.parentId, key]);
    const isFirst = !taken.has(place);
    taken.add(place);
    return { ...row, key: isFirst ? key : `${key} ${row.id}` };
  });
  // The keys of two rows may change places.
  await sql(tx, 'update category set name_key = id::text');
  await write(tx, 'category', 'name_key', 'text', keyed, ({ key }) => key);
  return rows.length;
}

/** Of the products only. @returns their number */
export const rebuildProducts = (url: string): Promise<number> => rebuildProductsWhere(url, 'true');

/** Of the products that have no search vector yet, as after they were inserted by SQL. @returns their number */
export const indexNewProducts = (url: string): Promise<number> =>
  rebuildProductsWhere(url, `search = ''`);

const rebuildProductsWhere = (url: string, where: string): Promise<number> =>
  withDatabase(url, productSchema, (em) =>
    rebuild(
      em,
      'product',
      ['name', 'description', 'created_by_id as "createdById"'],
      (tx, rows: SearchedProduct[]) => indexProducts(tx, rows),
      `deleted_at is null and ${where}`,
    ),
  );

interface Named {
  readonly id: string;
  readonly name: string;
}
interface NamedOffer extends Named {
  readonly sku: string;
}

async function withDatabase<T>(
  url: string,
  schema: Schema,
  work: (em: EntityManager) => Promise<T>,
): Promise<T> {
  // Without limits of time: a page may be long.
  const orm = await connect({ name: 'rebuild', url, poolMax: 1 }, schema, false);
  try {
    return await work(orm.em);
  } finally {
    await disconnect(orm);
  }
}

/** Page by page; the rows are locked, so that nobody renames one between the look and the update. */
async function rebuild<T extends { readonly id: string }>(
  em: EntityManager,
  table: string,
  columns: readonly string[],
  work: (tx: EntityManager, rows: T[]) => Promise<unknown>,
  where = 'true',
): Promise<number> {
  let count = 0;
  for (let after: string | undefined = '00000000-0000-0000-0000-000000000000'; after; ) {
    // A rename locks the offers of a SKU in another order.
    const rows: T[] = await retrying(deadlocksMax, isDeadlock).execute(() =>
      em.fork().transactional(async (tx) => {
        const page = await sql<T>(
          tx,
          `select id, ${columns.join(', ')} from ${table}
         where id > $1 and ${where} order by id limit ${pageMax} for no key update`,
          [after],
        );
        if (page.length > 0) await work(tx, page);
        return page;
      }),
    );
    count += rows.length;
    after = rows.at(-1)?.id;
  }
  return count;
}

async function write<T extends Named>(
  tx: EntityManager,
  table: string,
  column: string,
  type: string,
  rows: readonly T[],
  textOf: (row: T) => string,
): Promise<void> {
  await sql(
    tx,
    `update ${table} t set ${column} = made.value::${type}
     from unnest($1::uuid[], $2::text[]) as made (id, value)
     where t.id = made.id and t.${column} is distinct from made.value::${type}`,
    [rows.map(({ id }) => id), rows.map(textOf)],
  );
}
