import type { EntityManager } from '@mikro-orm/postgresql';
import { event } from '../../../contracts/events.js';
import { sql } from '../../../shared/database/sql.js';
import { enqueue } from '../../../shared/messaging/outbox.js';

interface Renamed {
  readonly sku: string;
  readonly name: string;
  readonly version: number;
}

/**
 * Enqueues the names of a product's variants for the shops, of all of them or of one. The transaction has
 * locked the product and written the new names.
 */
export async function enqueueVariantRenamed(
  tx: EntityManager,
  productId: string,
  sku: string | null = null,
): Promise<void> {
  const renamed = await sql<Renamed>(
    tx,
    `update product_variant as v set name_version = v.name_version + 1
     from product as p
     where p.id = $1 and v.product_id = p.id and v.deleted_at is null
       and ($2::text is null or v.sku = $2)
     returning v.sku, p.name || ', ' || v.name as name, v.name_version as version`,
    [productId, sku],
  );
  await enqueue(
    tx,
    renamed.map(({ sku, name, version }) =>
      event('product.variant.renamed', { sku, name }, version),
    ),
  );
}
