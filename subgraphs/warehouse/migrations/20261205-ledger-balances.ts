import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** `movementIdSql` of that day. */
const idSql = (atMs: string, seq: string, random: string) =>
  `(lpad(to_hex(${atMs}), 12, '0') || to_hex(28672 | (${seq} >> 20 & 4095))
    || to_hex(32768 | (${seq} >> 6 & 16383)) || lpad(to_hex((${seq} & 63) << 2), 2, '0')
    || right((${random})::text, 10))::uuid`;

/** Times that the API shows, from now on stored in milliseconds, as it shows them. */
const shownTimes = {
  warehouse_event: ['created_at'],
  stock_item: ['updated_at'],
  stock_level: ['counted_at', 'updated_at'],
  stock_movement: ['occurred_at', 'created_at'],
  reservation: ['expires_at'],
  stock_transfer: ['created_at'],
  stock_count: ['opened_at'],
  stock_count_line: ['counted_at'],
} as const;

/**
 * Each movement has its place in its level and the balances after it, so that the units at some time are one
 * look-up. Existing movements are numbered in the order of their ids, and none gets a time before that of its
 * predecessor.
 */
export class Migration20261205LedgerBalances extends Migration {
  override up(): void {
    this.addSql(`alter table stock_level add column last_seq bigint not null default 0`);
    this.addSql(`alter table stock_movement ${noRelease} disable trigger append_only,
      add column seq bigint, add column on_hand int, add column reserved int,
      add column committed int, add column unavailable int`);
    this.#truncateTimes();
    this.addSql(`update stock_movement m ${noRelease} set
        id = ${idSql('(extract(epoch from b.at) * 1000)::bigint', 'b.seq', 'm.id')},
        created_at = b.at, seq = b.seq, on_hand = b.on_hand, reserved = b.reserved,
        committed = b.committed, unavailable = b.unavailable
      from (
        select id, level_id, row_number() over past as seq, max(created_at) over past as at,
          sum(on_hand_delta) over past as on_hand, sum(reserved_delta) over past as reserved,
          sum(committed_delta) over past as committed,
          sum(unavailable_delta) over past as unavailable
        from stock_movement
        window past as (partition by level_id order by id)
      ) b
      where m.level_id = b.level_id and m.id = b.id`);
    this.addSql(`update stock_level l ${noRelease} set last_seq = b.seq
      from (select level_id, max(seq) as seq from stock_movement group by level_id) b
      where b.level_id = l.id`);
    this.addSql(`alter table stock_movement ${noRelease} enable trigger append_only,
      alter column seq set not null, alter column on_hand set not null,
      alter column reserved set not null, alter column committed set not null,
      alter column unavailable set not null`);
  }

  #truncateTimes(): void {
    for (const [table, columns] of Object.entries(shownTimes)) {
      const changes = columns.map(
        (column) =>
          `alter column ${column} type timestamptz(3) using date_trunc('milliseconds', ${column})`,
      );
      this.addSql(`alter table ${table} ${noRelease} ${changes.join(', ')}`);
    }
  }
}
