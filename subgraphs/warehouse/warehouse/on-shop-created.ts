import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { recordWarehouseEvent } from './warehouse-event.js';

/**
 * Creates the first warehouse of a new shop. Its id is that of the shop, so that it is created
 * once, however often the event is delivered.
 */
export async function onShopCreated(
  em: EntityManager,
  _event: OutboxEvent,
  { shopId, ownerId }: PayloadOf<'shop.shop.created'>,
): Promise<void> {
  const [created] = await sql(
    em,
    `insert into warehouse (id, shop_id, name, priority) values ($1, $1, 'Main', 0)
     on conflict do nothing returning id`,
    [shopId],
  );
  if (!created) return;
  await recordWarehouseEvent(em, {
    shopId,
    warehouseId: shopId,
    type: 'ACTIVATED',
    actor: ownerId,
  });
}
