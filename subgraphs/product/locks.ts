import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';
import { Product } from './product/product.js';

/**
 * Lock order of the product database:
 *
 * 0. the row of the request’s idempotency key: `Once.begin`;
 * 1. one product: `for update` by whoever edits it (`lockProduct`), `for no key update` by events about
 *    their variants (`lockProductsOfSkus`). Those, and the rebuilds of projections and of the search, lock
 *    many, in the order of their ids;
 * 2. its variants, its rows of `offer_listing`, its rows of `listed_price`, by the statements that
 *    change them. Nobody changes these of an existing product without a lock on it;
 * 3. words of `search_word`, in the order of the words.
 *
 * A new category, a change of one and the rebuild of the search lock the table `category`, and nothing else.
 */

/** Locks and reads a product; null when there is none, or it was deleted. */
export function lockProduct(tx: EntityManager, id: string): Promise<Product | null> {
  const lockMode = LockMode.PESSIMISTIC_WRITE;
  return tx.findOne(Product, { id, deletedAt: null }, { lockMode });
}

/**
 * Locks the products of variants, whether or not any was removed. It is a statement of its own, so that the
 * next one sees whether a variant was removed while this one waited.
 *
 * @returns the ids of the products
 * @throws Error for an unknown sku: its event is delivered again, and becomes a dead letter in the end
 */
export async function lockProductsOfSkus(
  tx: EntityManager,
  skus: readonly string[],
): Promise<string[]> {
  const products = await sql<{ id: string; skus: string[] }>(
    tx,
    `select id, array(
       select sku from product_variant v where v.product_id = p.id and v.sku = any($1)) as skus
     from product p
     where id in (select product_id from product_variant where sku = any($1))
     order by id for no key update`,
    [skus],
  );
  const known = new Set(products.flatMap(({ skus }) => skus));
  const unknown = skus.find((sku) => !known.has(sku));
  if (unknown !== undefined) throw new Error(`there is no variant ${unknown}`);
  return products.map(({ id }) => id);
}
