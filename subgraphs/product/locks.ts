import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';
import { Product } from './product/product.js';

/**
 * Lock order of the product database:
 *
 * 0. the row of the request’s idempotency key: `Once.begin`;
 * 1. one product: `for update` by whoever edits it (`lockProduct`), `for no key update` by an event about
 *    one of its variants (`lockProductOfSku`). The rebuild of projections locks many, in the order of
 *    their ids, as does that of the search;
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
 * Locks the product of a variant, whether or not either was removed. It is a statement of its own, so that
 * the next one sees whether the variant was removed while this one waited.
 *
 * @returns the id of the product
 * @throws Error for an unknown sku: its event is delivered again, and becomes a dead letter in the end
 */
export async function lockProductOfSku(tx: EntityManager, sku: string): Promise<string> {
  const [product] = await sql<{ id: string }>(
    tx,
    `select id from product
     where id = (select product_id from product_variant where sku = $1) for no key update`,
    [sku],
  );
  if (!product) throw new Error(`there is no variant ${sku}`);
  return product.id;
}
