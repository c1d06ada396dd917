import { type Invariant, invariantOf, type Moment } from './invariant.js';

/** SQL for the keys of levels with movements since, and of new ones. */
export const levelsSince = ({ id }: Moment) => `select shop_id, level_id as id from stock_movement
    where id >= '${id}' union select shop_id, id from stock_level where id >= '${id}'`;

const balances = ['on_hand', 'reserved', 'committed', 'unavailable'] as const;
const place = ['seq', ...balances] as const;

/** Where the chain of a level begins: with the last of its detached movements, or with no units and `seq` 0. */
const startSql = 'ledger_checkpoint';

/** Movements that change the units on hand; all others only promise them. */
const physicalTypes = `('RECEIPT', 'ADJUSTMENT', 'SHIPMENT', 'RETURN', 'TRANSFER_OUT', 'TRANSFER_IN')`;

const movement = `m.shop_id, m.level_id, m.id, m.seq, m.type, m.created_at,
  ${balances.map((name) => `m.${name}, m.${name}_delta`).join(', ')}`;

/** SQL for what is before a movement, as `before_seq` and so on. @param of SQL for a column of the movement before */
const before = (of: (column: string) => string) =>
  place.map((name) => `coalesce(${of(name)}, start.${name}, 0) as before_${name}`).join(', ');

const startOf = (keys: string) =>
  `left join ${startSql} start on (start.shop_id, start.level_id) = (${keys})`;

/**
 * The invariants of the ledger of stock, whose movements are a chain in each level. A level that changed without a
 * movement, and a movement that is missing before others, is found by a full pass.
 */
export const ledgerInvariants: Invariant[] = [
  invariantOf('warehouse', 'every movement follows from the one before it in its level', {
    key: { shop_id: 'uuid', level_id: 'uuid', id: 'uuid' },
    changedWhere: ({ id }) => `m.id >= '${id}'`,
    // Two look-ups by the primary key for each movement.
    select: (only) => `select ${movement}, ${before((name) => `p.${name}`)},
        n.created_at as next_at
      from stock_movement m
        left join lateral (select ${place.join(', ')} from stock_movement
          where shop_id = m.shop_id and level_id = m.level_id and id < m.id
          order by id desc limit 1) p on true
        left join lateral (select created_at from stock_movement
          where shop_id = m.shop_id and level_id = m.level_id and id > m.id order by id limit 1) n on true
        ${startOf('m.shop_id, m.level_id')}
      where ${only('m.shop_id, m.level_id, m.id')}`,
    // The whole ledger once, in the order of its levels.
    selectAll: `select ${movement}, ${before((name) => `lag(m.${name}) over past`)},
        lead(m.created_at) over past as next_at
      from stock_movement m ${startOf('m.shop_id, m.level_id')}
      window past as (partition by m.shop_id, m.level_id order by m.id)`,
    // In the order of ids, which have the times: so no time is before that of the movement before. Movements of
    // one moment belong together: a parcel that left before the newest count is subtracted, and then added.
    holds: `seq = before_seq + 1 and created_at = uuid_extract_timestamp(id)
      and ${balances.map((name) => `${name} = before_${name} + ${name}_delta`).join(' and ')}
      and (least(${balances.join(', ')}) >= 0 or next_at is not distinct from created_at)
      and (on_hand_delta = 0 or type in ${physicalTypes})`,
  }),
  invariantOf('warehouse', 'every level has the units of its last movement', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: levelsSince,
    select: (only) => `select l.shop_id, l.id, l.sku, l.last_seq,
        ${balances.map((name) => `l.${name}`).join(', ')}, ${before((name) => `p.${name}`)}
      from stock_level l
        left join lateral (select ${place.join(', ')} from stock_movement
          where shop_id = l.shop_id and level_id = l.id order by id desc limit 1) p on true
        ${startOf('l.shop_id, l.id')}
      where ${only('l.shop_id, l.id')}`,
    holds: `last_seq = before_seq
      and ${balances.map((name) => `${name} = before_${name}`).join(' and ')}`,
  }),
];
