import { raw } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { PageArgs } from '../../shared/graphql/connection.js';
import { inOrderOf } from '../../shared/graphql/context.js';
import { findPage } from '../../shared/graphql/load.js';
import type { ShopContext } from '../context.js';
import { wordsQuery } from '../search-vector.js';
import { Shop, shopWords } from './shop.js';

/** A shop as it is read and answered: a plain row. */
export type ShopRow = Pick<Shop, 'id' | 'name' | 'slug' | 'ownerId' | 'currencyCode'>;

/** Shops by their ids, in one statement. */
export async function loadShops(ids: readonly string[], { em }: ShopContext) {
  const rows = await sqlPrepared<ShopRow>(
    em,
    `select id, name, slug, owner_id as "ownerId", currency_code as "currencyCode"
     from shop where id = any($1::uuid[])`,
    [[...new Set(ids)]],
  );
  return inOrderOf(ids, rows, ({ id }) => id);
}

interface ShopSearch extends PageArgs {
  readonly search?: string | undefined;
}

/** A page of shops, the newest first. @throws `BAD_USER_INPUT` */
export function findShops({ em }: ShopContext, { first, after, search }: ShopSearch) {
  const query = wordsQuery(search);
  const where = query ? { [raw(`${shopWords} @@ to_tsquery('simple', ?)`, [query])]: [] } : {};
  return findPage(em, Shop, where, { first, after, order: 'desc' });
}
