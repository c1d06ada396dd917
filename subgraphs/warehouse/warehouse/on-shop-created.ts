import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';

/** The event of the shop subgraph about a new shop. */
export interface ShopCreated {
  readonly shopId: string;
  readonly name: string;
}

/**
 * Creates the first warehouse of a new shop. Its id is that of the shop, so that it is created
 * once, however often the event is delivered.
 */
export async function onShopCreated(
  em: EntityManager,
  _event: OutboxEvent,
  { shopId }: ShopCreated,
): Promise<void> {
  await sql(
    em,
    `insert into warehouse (id, shop_id, name, priority) values ($1, $1, 'Main', 0)
     on conflict do nothing`,
    [shopId],
  );
}
