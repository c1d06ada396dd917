import { raw } from '@mikro-orm/postgresql';
import { findPage } from '../../shared/graphql/load.js';
import type { ShopContext } from '../context.js';
import { wordsQuery } from '../search-vector.js';
import { Shop, shopWords } from './shop.js';

interface ShopSearch {
  readonly first: number;
  readonly after?: string | undefined;
  readonly search?: string | undefined;
}

/** A page of shops, the newest first. @throws `BAD_USER_INPUT` */
export function findShops({ em }: ShopContext, { first, after, search }: ShopSearch) {
  const query = wordsQuery(search);
  const where = query ? { [raw(`${shopWords} @@ to_tsquery('simple', ?)`, [query])]: [] } : {};
  return findPage(em, Shop, where, { first, after, order: 'desc' });
}
