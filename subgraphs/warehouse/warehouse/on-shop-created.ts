import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';

/** The event by which the shop subgraph tells of a new shop. */
export interface ShopCreated {
  readonly shopId: string;
  readonly name: string;
}

/**
 * Gives a new shop its first warehouse. That has the id of its shop: so it is made once, however
 * often the event comes, and whatever other warehouses the shop was given meanwhile.
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
