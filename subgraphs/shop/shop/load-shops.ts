import { sqlPrepared } from '../../shared/database/sql.js';
import { inOrderOf } from '../../shared/graphql/context.js';
import type { ShopContext } from '../context.js';
import type { Shop } from './shop.js';

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
