import type pg from 'pg';
import type { InShop } from '../locks.js';
import { unitsPerItemMax } from '../stock/item-room.js';
import { shortfallSql } from '../stock/level-units.js';
import { type InvalidRow, InvalidRows, invalidRowsListedMax } from './invalid-rows.js';
import { type ShortfallLine, type Shortfalls, shortfallLinesMax } from './stock-import.js';

/**
 * `n`: the units of the level of a row `d` afterwards. As in `correctOnHand`, unavailable units beyond
 * those on hand are gone.
 */
export const unitsAfter = `lateral (select d.quantity as on_hand, d.reserved, d.committed,
  least(d.unavailable, d.quantity) as unavailable, d.buffer) n`;

/** Whether a row `r` changes a level `l`, or expects other units than there are. */
const differs = `l.id is null or l.on_hand <> r.quantity or l.low_stock_threshold <> r.threshold
  or l.on_hand <> r.expected`;

/** Finds the rows whose items are to be locked. */
export async function findChanges(client: pg.Client, { shopId, id }: InShop): Promise<void> {
  await client.query(
    `insert into import_change (line, sku, quantity, threshold, expected)
     select r.line, r.sku, r.quantity, r.threshold, r.expected from import_row r
     left join stock_level l on l.shop_id = $1 and l.sku = r.sku and l.warehouse_id = $2
     where ${differs}`,
    [shopId, id],
  );
  // Without it `lockItems` is planned for a few rows, and the items stay locked for longer.
  await client.query('analyze import_change');
}

/**
 * A UUIDv7 of the time `$1`, in Unix ms, for what a row may create: a level and a message.
 */
const idOfRow = `encode(set_bit(set_bit(overlay(uuid_send(c.tail)
  placing substring(int8send($1::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid`;

export interface ChangeCounts {
  readonly changed: number;
  readonly newLevels: number;
  readonly newItems: number;
}

/**
 * Reads the levels of the changes, behind the locks, each with the time of its change: as `Ledger.timeOf`. A
 * change that another made meanwhile is none.
 */
export async function readLevels(
  client: pg.Client,
  { id: warehouseId, shopId }: InShop,
  now: Date,
): Promise<ChangeCounts> {
  await client.query(
    `insert into import_delta (line, sku, quantity, threshold, expected, id, level_id, is_new_level,
       on_hand, reserved, committed, unavailable, buffer, last_seq, at, tail, item_available)
     select r.line, r.sku, r.quantity, r.threshold, r.expected, r.id, coalesce(l.id, r.id), l.id is null,
       coalesce(l.on_hand, 0), coalesce(l.reserved, 0), coalesce(l.committed, 0),
       coalesce(l.unavailable, 0), coalesce(l.buffer, 0),
       coalesce(l.last_seq, 0), greatest($4::timestamptz, l.updated_at), r.tail, i.available
     from (select c.*, ${idOfRow} as id from import_change c) r
     left join stock_level l on l.shop_id = $3 and l.sku = r.sku and l.warehouse_id = $2
     left join stock_item i on i.sku = r.sku and i.shop_id = $3
     where ${differs}`,
    [now.getTime(), warehouseId, shopId, now],
  );
  const { rows } = await client.query<ChangeCounts>(
    `select count(*)::int as changed,
       count(*) filter (where is_new_level)::int as "newLevels",
       count(*) filter (where item_available is null)::int as "newItems"
     from import_delta`,
  );
  return rows[0] as ChangeCounts;
}

/**
 * Checks the changes against the levels, behind the locks.
 *
 * @throws `BAD_USER_INPUT` with the rows that expect other units than are on hand, and those with which
 *   a variant has too many units
 */
export async function checkChanges(client: pg.Client, shopId: string): Promise<void> {
  const invalid = new InvalidRows();
  await checkExpected(client, invalid);
  await checkRoom(client, shopId, invalid);
  if (invalid.count > 0) throw invalid.toError();
}

interface FoundRow extends InvalidRow {
  readonly line: number;
  readonly count: number;
}

function addFound(invalid: InvalidRows, found: readonly FoundRow[]): void {
  const rows = found.map(({ line, sku, reason }) => ({ line, sku, reason }));
  invalid.addFound(rows, found[0]?.count ?? 0);
}

/** A level that does not exist has 0 units. */
async function checkExpected(client: pg.Client, invalid: InvalidRows): Promise<void> {
  const { rows } = await client.query<FoundRow>(
    `select line, sku, on_hand || case on_hand when 1 then ' unit is' else ' units are' end
       || ' on hand, not ' || expected || ' as expected' as reason, count(*) over ()::int as count
     from import_delta where expected <> on_hand order by line limit ${invalidRowsListedMax}`,
  );
  addFound(invalid, rows);
}

/** The units of a variant in all warehouses of the shop must fit an Int, as `Ledger.hasRoom`. */
async function checkRoom(client: pg.Client, shopId: string, invalid: InvalidRows): Promise<void> {
  const { rows } = await client.query<FoundRow>(
    `select d.line, d.sku, count(*) over ()::int as count,
       'a variant has at most ${unitsPerItemMax} units in all warehouses' as reason
     from import_delta d
       join (select sku, sum(on_hand::bigint + incoming) as units from stock_level
             where shop_id = $1
               and sku in (select sku from import_delta where quantity > on_hand)
             group by sku) item using (sku)
     where d.quantity > d.on_hand and item.units + d.quantity - d.on_hand > ${unitsPerItemMax}
       and (d.expected is null or d.expected = d.on_hand)
     order by d.line limit ${invalidRowsListedMax}`,
    [shopId],
  );
  addFound(invalid, rows);
}

export async function findShortfalls(client: pg.Client): Promise<Shortfalls> {
  const { rows } = await client.query<ShortfallLine & { count: number }>(
    `select d.line, d.sku, ${shortfallSql('n.')} as shortfall, count(*) over ()::int as count
     from import_delta d, ${unitsAfter} where ${shortfallSql('n.')} > ${shortfallSql('d.')}
     order by d.line limit ${shortfallLinesMax}`,
  );
  return {
    shortfallLineCount: rows[0]?.count ?? 0,
    shortfallLines: rows.map(({ line, sku, shortfall }) => ({ line, sku, shortfall })),
  };
}
