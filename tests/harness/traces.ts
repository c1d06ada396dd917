import { seedId } from '../../dev/seed/ids.js';
import type { SubgraphName } from '../../ops/subgraph-names.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { level } from './broken-stock.js';

const offer = seedId('offer', 0);

const sent = (topic: string, key: string, sku: string) => `
  insert into outbox (id, consumer, topic, key, version, payload, sent_at)
  values ('${newId()}', 'test', '${topic}', '${key}', 1, '{"sku": "${sku}"}', now())`;

/**
 * SQL for what the subgraphs write in the commit of any change of the seeded level and offer, and without
 * which a change is found by a full pass only.
 *
 * @param sku that of the offer
 */
export const tracesOf = (sku: string): readonly (readonly [SubgraphName, string])[] => [
  [
    'warehouse',
    // A movement as it should be, of no units.
    `with last as (
       select shop_id, level_id, seq, on_hand, reserved, committed, unavailable from stock_movement
       where level_id = '${level}' order by id desc limit 1
     ), counted as (
       update stock_level set last_seq = last_seq + 1 where id = '${level}'
     )
     insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
       on_hand, reserved, committed, unavailable, actor, created_at)
     select shop_id, level_id, new.id, seq + 1, 'RECEIPT', 0, 0, on_hand, reserved, committed,
       unavailable, 'test', uuid_extract_timestamp(new.id)
     from last, uuidv7() as new (id)`,
  ],
  [
    'warehouse',
    `insert into warehouse_event (id, shop_id, warehouse_id, type, actor)
     select '${newId()}', shop_id, warehouse_id, type, 'test'
     from warehouse_event join stock_level using (shop_id, warehouse_id)
     where stock_level.id = '${level}' order by warehouse_event.id desc limit 1`,
  ],
  ['shop', sent('shop.offer.changed', offer, sku)],
  ['product', sent('product.variant.renamed', sku, sku)],
];
