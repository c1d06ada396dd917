import { raw } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { PageArgs } from '../../shared/graphql/connection.js';
import { inOrderOf } from '../../shared/graphql/context.js';
import { findPage } from '../../shared/graphql/load.js';
import type { ShopContext } from '../context.js';
import { nameQuery } from '../search.js';
import { Shop } from './shop.js';

/** A shop as plain data, without change tracking. */
export type ShopRow = Pick<Shop, 'id' | 'name' | 'slug' | 'ownerId' | 'currencyCode'>;

/** Shops by id, in one statement. */
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

/** A page of shops, newest first. @throws `BAD_USER_INPUT` for an invalid page or search */
export function findShops({ em }: ShopContext, { first, after, search }: ShopSearch) {
  const query = nameQuery(search);
  const where = query === null ? {} : { [raw('words @@ ?::tsquery', [query])]: [] };
  return findPage(em, Shop, where, { first, after, order: 'desc' });
}
