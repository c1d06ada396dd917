import { type Invariant, invariantOf, madeIn, type Period } from './invariant.js';

/** SQL for the keys of levels with movements since, and of new ones. */
export const levelsSince = (period: Period) => `select shop_id, level_id as id from stock_movement
    where ${madeIn(period, 'id')} union select shop_id, id from stock_level where ${madeIn(period, 'id')}`;

const balances = ['on_hand', 'reserved', 'committed', 'unavailable'] as const;
const place = ['seq', ...balances] as const;

/** SQL for the lowest id some time before that of the column. It bounds the partitions that a look-up reads. */
export const idBefore = (column: string, interval: string) =>
  `coalesce(first_id_at(uuid_extract_timestamp(${column}) - interval '${interval}'),
    '00000000-0000-0000-0000-000000000000')`;

/** The id of an order or transfer is made before its movements, by another clock. */
export const clockSkew = '1 hour';
/** With two or three months, a look-up almost always finds the movement before. */
const recently = '31 days';

/**
 * SQL for the last movement of a level, as `p`: first in the recent partitions, and in all of them only if it has
 * none there. @param fromId the lowest id of a recent movement
 */
const lastMovement = (level: string, fromId: string, before = 'true') => {
  const last = (condition: string) => `select ${place.join(', ')} from stock_movement
    where (shop_id, level_id) = (${level}) and ${before} and ${condition} order by id desc limit 1`;
  return `left join lateral (${last(`id >= ${fromId}`)}) recent on true
    left join lateral (${last(`recent.seq is null and id < ${fromId}`)}) old on true
    cross join lateral (select ${place
      .map((name) => `coalesce(recent.${name}, old.${name}) as ${name}`)
      .join(', ')}) p`;
};

/** Movements that change the units on hand; all others only promise them. */
const physicalTypes = `('RECEIPT', 'ADJUSTMENT', 'SHIPMENT', 'RETURN', 'TRANSFER_OUT', 'TRANSFER_IN')`;

const movement = `m.shop_id, m.level_id, m.id, m.seq, m.type, m.created_at,
  ${balances.map((name) => `m.${name}, m.${name}_delta`).join(', ')}`;

/** SQL for what is before a movement, as `before_seq` and so on. @param of SQL for a column of the movement before */
const before = (of: (column: string) => string) =>
  place.map((name) => `coalesce(${of(name)}, start.${name}, 0) as before_${name}`).join(', ');

/** Where the chain of a level begins: with the last of its detached movements, or with no units and `seq` 0. */
const startOf = (keys: string) =>
  `left join ledger_checkpoint start on (start.shop_id, start.level_id) = (${keys})`;

/**
 * The invariants of the ledger of stock, whose movements are a chain in each level. A level that changed without a
 * movement, and a movement that is missing before others, is found by a full pass.
 */
export const ledgerInvariants: Invariant[] = [
  invariantOf('warehouse', 'every movement follows from the one before it in its level', {
    key: { shop_id: 'uuid', level_id: 'uuid', id: 'uuid' },
    changedWhere: (period) => madeIn(period, 'm.id'),
    // Two look-ups by the primary key for each movement, three for one after more than a month.
    select: (only) => `select ${movement}, ${before((name) => `p.${name}`)},
        (n.created_at, n.reference, n.actor) = (m.created_at, m.reference, m.actor) as continues
      from stock_movement m
        ${lastMovement('m.shop_id, m.level_id', idBefore('m.id', recently), 'id < m.id')}
        left join lateral (select created_at, reference, actor from stock_movement
          where shop_id = m.shop_id and level_id = m.level_id and id > m.id
            and id < first_id_at(uuid_extract_timestamp(m.id) + interval '1 ms')
          order by id limit 1) n on true
        ${startOf('m.shop_id, m.level_id')}
      where ${only('m.shop_id, m.level_id, m.id')}`,
    // The whole ledger once, in the order of its levels.
    selectAll: `select ${movement}, ${before((name) => `lag(m.${name}) over past`)},
        (lead(m.created_at) over past, lead(m.reference) over past, lead(m.actor) over past)
          = (m.created_at, m.reference, m.actor) as continues
      from stock_movement m ${startOf('m.shop_id, m.level_id')}
      window past as (partition by m.shop_id, m.level_id order by m.id)`,
    // In the order of ids, which have the times: so no time is before that of the movement before. Movements of
    // one moment and reference belong together: a parcel that left before the newest count is subtracted, and
    // then added.
    holds: `seq = before_seq + 1 and created_at = uuid_extract_timestamp(id)
      and ${balances.map((name) => `${name} = before_${name} + ${name}_delta`).join(' and ')}
      and (least(${balances.join(', ')}) >= 0 or continues)
      and (on_hand_delta = 0 or type in ${physicalTypes})`,
  }),
  invariantOf('warehouse', 'every level has the units of its last movement', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: levelsSince,
    select: (only) => `select l.shop_id, l.id, l.sku, l.last_seq,
        ${balances.map((name) => `l.${name}`).join(', ')}, ${before((name) => `p.${name}`)}
      from stock_level l
        ${lastMovement('l.shop_id, l.id', `first_id_at(now() - interval '${recently}')`)}
        ${startOf('l.shop_id, l.id')}
      where ${only('l.shop_id, l.id')}`,
    holds: `last_seq = before_seq
      and ${balances.map((name) => `${name} = before_${name}`).join(' and ')}`,
  }),
];
