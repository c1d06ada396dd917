import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';

/**
 * Gives a new shop its first warehouse. That has the id of its shop: so it is made once, however
 * often the event comes, and whatever other warehouses the shop was given meanwhile.
 */
export async function onShopCreated(
  em: EntityManager,
  _event: OutboxEvent,
  { shopId }: PayloadOf<'shop.shop.created'>,
): Promise<void> {
  await sql(
    em,
    `insert into warehouse (id, shop_id, name, priority) values ($1, $1, 'Main', 0)
     on conflict do nothing`,
    [shopId],
  );
}
