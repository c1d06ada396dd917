import { seedId } from '../../dev/seed/ids.js';
import type { SubgraphName } from '../../ops/subgraph-names.js';
import { newId } from '../../subgraphs/shared/ids.js';

export type Break = readonly [
  broken: string,
  database: SubgraphName,
  statements: readonly string[],
  /** what another database has before */
  before?: readonly [database: SubgraphName, statements: readonly string[]],
];

export const level = seedId('level', 0);
const sold = newId();
const ofOneShop = newId();

interface TestMovement {
  readonly type: string;
  /** after the level’s last */
  readonly seq?: number;
  readonly onHandDelta?: number;
  readonly committedDelta?: number;
  readonly reference?: string;
}
/** SQL for a movement of the level, which stays as it is. */
const movement = ({
  type,
  seq = 1,
  onHandDelta = 0,
  committedDelta = 0,
  reference = 'test',
}: TestMovement) =>
  `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
     committed_delta, on_hand, reserved, committed, unavailable, reference, actor, created_at)
   select shop_id, level.id, new.id, last_seq + ${seq}, '${type}', ${onHandDelta}, 0, ${committedDelta},
     on_hand, reserved, committed, unavailable, '${reference}', 'test', uuid_extract_timestamp(new.id)
   from stock_level level, uuidv7() as new (id) where level.id = '${level}'`;
/** SQL for the level’s place in the ledger, after so many movements. */
const counted = (movements: number) =>
  `update stock_level set last_seq = last_seq + ${movements} where id = '${level}'`;
const changeable = 'alter table stock_movement disable trigger append_only';
const chain = 'every movement follows from the one before it in its level';

/** Each breaks the chain of a level’s movements, and leaves the level as its last one says. */
const chainBreaks: readonly Break[] = [
  // A gap.
  [chain, 'warehouse', [movement({ type: 'RECEIPT', seq: 2 }), counted(2)]],
  // A balance that does not follow from the deltas.
  [chain, 'warehouse', [movement({ type: 'RECEIPT', onHandDelta: 1 }), counted(1)]],
  // A balance below 0.
  [
    chain,
    'warehouse',
    [
      'alter table stock_level drop constraint stock_level_not_negative',
      `update stock_level set committed = -1 where id = '${level}'`,
      movement({ type: 'UNCOMMIT', committedDelta: -1 }),
      counted(1),
    ],
  ],
  // The same, before a movement of that moment that belongs to something else.
  [
    chain,
    'warehouse',
    [
      'alter table stock_level drop constraint stock_level_not_negative',
      `update stock_level set committed = -1 where id = '${level}'`,
      movement({ type: 'UNCOMMIT', committedDelta: -1 }),
      `update stock_level set committed = 0 where id = '${level}'`,
      movement({ type: 'COMMIT', seq: 2, committedDelta: 1, reference: 'another' }),
      changeable,
      `update stock_movement m set created_at = p.created_at,
         id = (left(p.id::text, 14) || '7fff-bfff-ffffffffffff')::uuid
       from stock_movement p where m.level_id = '${level}' and m.seq = 3
         and p.level_id = '${level}' and p.seq = 2`,
      counted(2),
    ],
  ],
  // One that only promises units, and changes those on hand.
  [
    chain,
    'warehouse',
    [
      `update stock_level set on_hand = on_hand + 1 where id = '${level}'`,
      movement({ type: 'COMMIT', onHandDelta: 1 }),
      counted(1),
    ],
  ],
  // One that is deleted in the middle.
  [
    chain,
    'warehouse',
    [
      ...[1, 2, 3].map((seq) => movement({ type: 'RECEIPT', seq })),
      counted(3),
      changeable,
      `delete from stock_movement where level_id = '${level}' and seq = 3`,
    ],
  ],
  // A time before that of the movement before: not that of its id.
  [
    chain,
    'warehouse',
    [
      movement({ type: 'RECEIPT' }),
      counted(1),
      changeable,
      `update stock_movement set created_at = created_at - interval '1 hour'
       where level_id = '${level}' and seq = 2`,
    ],
  ],
  // The same, with its id.
  [
    chain,
    'warehouse',
    [
      movement({ type: 'RECEIPT' }),
      counted(1),
      changeable,
      `update stock_movement m set id = p.id, created_at = uuid_extract_timestamp(p.id)
       from (select uuidv7(interval '-1 minute') as id) p where level_id = '${level}' and seq = 1`,
      `update stock_movement m set id = p.id, created_at = uuid_extract_timestamp(p.id)
       from (select uuidv7(interval '-2 minutes') as id) p where level_id = '${level}' and seq = 2`,
    ],
  ],
];

const sale = newId();
const ofSale = newId();
/** SQL that puts units of the level’s item into a sale. */
const inSale = (setAside: number) =>
  `update stock_item i set sale_id = '${sale}', set_aside = ${setAside},
     set_aside_until = now() + interval '1 hour'
   from stock_level l where l.id = '${level}' and i.shop_id = l.shop_id and i.sku = l.sku`;
const saleItem = (allocated: number, held: number, sold = 0) =>
  `insert into sale_item (shop_id, sale_id, sku, allocated, held, sold)
   select shop_id, '${sale}', sku, ${allocated}, ${held}, ${sold} from stock_level where id = '${level}'`;
const saleLine = (state: string, paymentId: string) => [
  `insert into reservation (order_id, shop_ids, state, expires_at, payment_id)
   select '${ofSale}', array[shop_id], '${state}', now() + interval '1 hour', ${paymentId}
   from stock_level where id = '${level}'`,
  `insert into reservation_line (order_id, shop_id, level_id, sale_id, quantity)
   select '${ofSale}', shop_id, id, '${sale}', 2 from stock_level where id = '${level}'`,
];
const setAside = 'what is set aside of an item is what its sale neither holds nor sold';
const saleHolds = 'the units that a sale holds are those of its HELD reservations';
const saleSold = 'the units that a sale has sold are those of its paid reservations';

const allocated = 'the warehouse has allocated to each sale what shop has, until the same end';
const allocation = `insert into sale_allocation (shop_id, sale_id, revision, ends_at)
  select shop_id, '${sale}', 1, now() + interval '1 hour' from stock_level where id = '${level}'`;
const saleOfShop = (status: string) =>
  [
    'shop',
    [
      `insert into sale_event (id, name, slug, starts_at, ends_at, status, published_at)
       values ('${sale}', 'Sale', '${sale}', now(), now() + interval '1 hour', '${status}', now())`,
    ],
  ] as const;

/** Each breaks one invariant of sales. */
const saleBreaks: readonly Break[] = [
  [
    'no sale holds and sells more units than are allocated to it',
    'warehouse',
    ['alter table sale_item drop constraint sale_item_allocated', saleItem(3, 2, 2), inSale(0)],
  ],
  // Of a sale without a row.
  [setAside, 'warehouse', [inSale(1)]],
  [setAside, 'warehouse', [saleItem(3, 1), inSale(3)]],
  // Of no sale.
  [
    setAside,
    'warehouse',
    [
      'alter table stock_item drop constraint stock_item_sale',
      'update stock_item set set_aside = 1',
    ],
  ],
  [saleHolds, 'warehouse', [saleItem(3, 1), inSale(2)]],
  [saleHolds, 'warehouse', [saleItem(3, 1), inSale(2), ...saleLine('HELD', 'null')]],
  // Of a sale that is cancelled, and of one that shop does not have with these units.
  [allocated, 'warehouse', [saleItem(3, 1), inSale(2), allocation], saleOfShop('CANCELLED')],
  [allocated, 'warehouse', [saleItem(3, 1), inSale(2), allocation], saleOfShop('PUBLISHED')],
  [saleSold, 'warehouse', [saleItem(3, 0, 1), inSale(2)]],
  [saleSold, 'warehouse', [saleItem(3, 0, 1), inSale(2), ...saleLine('COMMITTED', `'${newId()}'`)]],
];

/** Each breaks one invariant of stock directly in SQL. */
export const stockBreaks: readonly Break[] = [
  ...chainBreaks,
  [
    'every level has the units of its last movement',
    'warehouse',
    [`update stock_level set last_seq = last_seq + 1 where id = '${level}'`],
  ],
  [
    'no level has units below 0, or more unavailable than on hand',
    'warehouse',
    [
      'alter table stock_level drop constraint stock_level_not_negative',
      `update stock_level set committed = -1 where id = '${level}'`,
    ],
  ],
  [
    'no level has units below 0, or more unavailable than on hand',
    'warehouse',
    [
      'alter table stock_level drop constraint stock_level_unavailable',
      `update stock_level set unavailable = on_hand + 1, shortfall = 1 where id = '${level}'`,
    ],
  ],
  [
    'the shortfall of a level is what is promised beyond its units',
    'warehouse',
    [
      'alter table stock_level drop constraint stock_level_shortfall',
      `update stock_level set reserved = on_hand + 1 where id = '${level}'`,
    ],
  ],
  [
    'every level has the units of its last movement',
    'warehouse',
    [`update stock_level set unavailable = 1 where id = '${level}'`],
  ],
  [
    'committed is the sum of paid units not shipped or cancelled',
    'warehouse',
    [`update stock_level set committed = 1 where id = '${level}'`],
  ],
  [
    'every level has the units of its last movement',
    'warehouse',
    [`update stock_level set on_hand = on_hand + 1 where id = '${level}'`],
  ],
  [
    'reserved is the sum of HELD reservations',
    'warehouse',
    [`update stock_level set reserved = 1 where id = '${level}'`],
  ],
  [
    'every reservation line is the sum of its movements',
    'warehouse',
    [
      `insert into reservation (order_id, state, expires_at, payment_id)
       values ('${newId()}', 'COMMITTED', now(), '${newId()}')`,
      `insert into reservation_line (order_id, shop_id, level_id, quantity)
       select order_id, shop_id, id, 2 from reservation, stock_level where id = '${level}'`,
    ],
  ],
  [
    'every reservation line is the sum of its movements',
    'warehouse',
    [
      // of no reservation
      `insert into reservation_line (order_id, shop_id, level_id, quantity)
       select '${newId()}', shop_id, id, 0 from stock_level where id = '${level}'`,
    ],
  ],
  [
    'every movement of an order has a reservation line',
    'warehouse',
    [movement({ type: 'RELEASE', reference: newId() })],
  ],
  [
    'every reservation line is the sum of its movements',
    'warehouse',
    [
      `insert into reservation (order_id, state, expires_at, payment_id)
       values ('${sold}', 'COMMITTED', now(), '${newId()}')`,
      `insert into reservation_line (order_id, shop_id, level_id, quantity, shipped)
       select '${sold}', shop_id, id, 2, 2 from stock_level where id = '${level}'`,
      movement({ type: 'COMMIT', committedDelta: 2, reference: sold }),
      movement({ type: 'SHIPMENT', onHandDelta: -1, committedDelta: -2, reference: sold }),
    ],
  ],
  [
    'the shops of a reservation are those of its lines',
    'warehouse',
    [
      // It names one shop, and has lines of two.
      `insert into reservation (order_id, shop_ids, state, expires_at, payment_id)
       select '${ofOneShop}', array[shop_id], 'COMMITTED', now(), '${newId()}'
       from stock_level where id = '${level}'`,
      `insert into reservation_line (order_id, shop_id, level_id, quantity)
       select distinct on (shop_id) '${ofOneShop}'::uuid, shop_id, id, 0 from stock_level`,
    ],
  ],
  [
    'the shops of a reservation are those of its lines',
    'warehouse',
    [
      // It names a shop without a line.
      `insert into reservation (order_id, shop_ids, state, expires_at)
       values ('${newId()}', array['${newId()}'::uuid], 'HELD', now() + interval '1 hour')`,
    ],
  ],
  [
    'no reservation is HELD more than 5 s after its expiry',
    'warehouse',
    [
      `insert into reservation (order_id, shop_ids, state, expires_at)
       values ('${newId()}', array['${newId()}'::uuid], 'HELD', now() - interval '6 s')`,
    ],
  ],
  [
    'available is the sum of the free units in active warehouses',
    'warehouse',
    ['update warehouse set active = false'],
  ],
  [
    'the last event of a warehouse says whether it is active',
    'warehouse',
    [
      `insert into warehouse_event (id, shop_id, warehouse_id, type, actor)
       select '${seedId('later event', 1_000_000)}', shop_id, warehouse_id, 'DEACTIVATED', 'test'
       from stock_level
       where id = '${level}'`,
    ],
  ],
  [
    'the last event of a warehouse says whether it is active',
    'warehouse',
    [`insert into warehouse (id, shop_id, name) values ('${newId()}', '${newId()}', 'New')`],
  ],
  [
    'incoming is the sum of units in transit',
    'warehouse',
    [`update stock_level set incoming = 1 where id = '${level}'`],
  ],
  [
    'every unit of a transfer is received, returned, missing or in transit',
    'warehouse',
    [
      `insert into stock_transfer (id, shop_id, from_id, to_id, status)
       select '${newId()}', shop_id, warehouse_id, '${seedId('warehouse', 1)}', 'IN_TRANSIT'
       from stock_level where id = '${level}'`,
      `insert into transfer_line (shop_id, transfer_id, sku, quantity)
       select t.shop_id, t.id, sku, 1 from stock_transfer t, stock_level l where l.id = '${level}'`,
    ],
  ],
  [
    'every movement of a transfer has a transfer line',
    'warehouse',
    [movement({ type: 'TRANSFER_IN', reference: newId() })],
  ],
  ...saleBreaks,
  ['every level belongs to an item of its shop', 'warehouse', ['delete from stock_item']],
  [
    'every HELD or COMMITTED reservation belongs to an order',
    'warehouse',
    [
      `insert into reservation (order_id, shop_ids, state, expires_at)
       values ('${newId()}', array['${newId()}'::uuid], 'HELD', now() + interval '1 hour')`,
    ],
  ],
];
