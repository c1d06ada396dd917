import type { EntityManager } from '@mikro-orm/postgresql';
import type { SaleKey } from '../../contracts/sale.js';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { firstOfEach } from '../../shared/batching/first-of-each.js';
import { columnsOf } from '../../shared/database/columns.js';
import { listOf, sqlPrepared, unnestOf } from '../../shared/database/sql.js';
import { availableUnitsSql } from './level-units.js';
import { StockLevel } from './stock-level.js';

/** Units that are needed of one sku of one shop. */
export interface KeyDemand extends StockKey {
  readonly quantity: number;
}

/** A level in the shard of its shop. */
export interface LevelRef {
  readonly shopId: string;
  readonly levelId: string;
}

/**
 * The levels that a change needs: some by their ids, those of its skus in some warehouses, or those that
 * can serve a demand. A shop may have many warehouses, so that all levels of a sku are never read.
 */
export interface LevelChoice {
  readonly levels?: readonly LevelRef[];
  readonly warehouseIds?: readonly string[];
  readonly demands?: readonly KeyDemand[];
  /** sales whose units are to be read beside the levels */
  readonly sales?: readonly SaleKey[];
}

/** Where a level is. */
export interface Place {
  /** whether its warehouse is active, so that its units can be sold: it stays so while its item is locked */
  readonly active: boolean;
  /** orders are served from the warehouse with the lowest number */
  readonly priority: number;
}

export interface ReadLevels {
  readonly levels: readonly (readonly [StockLevel, Place])[];
  /** the time by PostgreSQL’s clock */
  readonly readAt: Date;
}

type Row = { readAt: string; active: boolean | null; priority: number };

/** Reads levels whose items are locked, so that they do not change. */
export async function readLevels(
  em: EntityManager,
  keys: readonly StockKey[],
  { levels: refs = [], warehouseIds = [], demands }: LevelChoice,
): Promise<ReadLevels> {
  const columns = columnsOf(em, StockLevel, 'l.');
  const rows = demands
    ? await sqlPrepared<Row>(em, demandedSql(columns), demandValues(demands))
    : await sqlPrepared<Row>(em, chosenSql(columns), chosenValues(refs, warehouseIds, keys));
  const levels = rows
    .filter(({ active }) => active !== null)
    .map(({ readAt: _, active, priority, ...row }) => {
      return [em.map(StockLevel, row), { active: active as boolean, priority }] as const;
    });
  return { levels, readAt: new Date(rows[0]?.readAt as string) };
}

/** One row, with the time, if there is no level. The primary key and `stock_level_place` serve it. */
const chosenSql = (columns: string) => `
  select clock.read_at as "readAt", l.active, l.priority, ${columns}
  from (select clock_timestamp() as read_at) clock left join (
    select l.*, w.active, w.priority from (
      select l.* from unnest(${listOf(1, 'uuid')}, ${listOf(2, 'uuid')}) as chosen (shop_id, id)
        join stock_level l using (shop_id, id)
      union all
      select l.* from unnest(${listOf(3, 'uuid')}, ${listOf(4, 'varchar')}) as key (shop_id, sku)
        join stock_level l using (shop_id, sku)
      where l.warehouse_id = any(${listOf(5, 'uuid')}) and l.id <> all(${listOf(2, 'uuid')})
    ) l join warehouse w on w.shop_id = l.shop_id and w.id = l.warehouse_id
  ) l on true`;

function chosenValues(
  refs: readonly LevelRef[],
  warehouseIds: readonly string[],
  keys: readonly StockKey[],
) {
  const levels = firstOfEach(refs, ({ levelId }) => levelId);
  const distinct = warehouseIds.length > 0 ? firstOfEach(keys, stockKeyOf) : [];
  return [
    levels.map(({ shopId }) => shopId),
    levels.map(({ levelId }) => levelId),
    distinct.map(({ shopId }) => shopId),
    distinct.map(({ sku }) => sku),
    warehouseIds,
  ];
}

/**
 * Levels in order of priority that are read of each sku: with the first that covers the demand by itself, at
 * most ten, unless the demand needs more.
 */
const firstLevels = 9;

/**
 * The first levels in order of priority, until they cover the demand, and the first that covers all of it by
 * itself. One row, with the time, if there is none. The index `stock_level_place` serves it; `offset 0` keeps
 * PostgreSQL from reading the levels of all warehouses of the shop first.
 */
const demandedSql = (columns: string) => `
  select clock.read_at as "readAt", l.active, l.priority, ${columns}
  from (select clock_timestamp() as read_at) clock left join (
    select l.*, row_number() over by_priority as place,
      sum(l.available) over by_priority - l.available as units_before,
      count(*) filter (where l.available >= l.demanded) over by_priority as covering
    from (
      select l.*, w.active, w.priority, d.quantity as demanded, ${availableUnitsSql('l.')} as available
      from ${unnestOf('uuid', 'varchar', 'bigint')} as d (shop_id, sku, quantity)
        cross join lateral (
          select * from stock_level where shop_id = d.shop_id and sku = d.sku offset 0
        ) l
        join warehouse w on w.shop_id = l.shop_id and w.id = l.warehouse_id and w.active
    ) l
    where l.available > 0
    window by_priority as (partition by l.shop_id, l.sku order by l.priority, l.warehouse_id)
  ) l on l.place <= ${firstLevels} or l.units_before < l.demanded
    or (l.covering = 1 and l.available >= l.demanded)`;

const demandValues = (demands: readonly KeyDemand[]) => [
  demands.map(({ shopId }) => shopId),
  demands.map(({ sku }) => sku),
  demands.map(({ quantity }) => quantity),
];

/** Units on hand and incoming of items, over all their warehouses: key → units. */
export async function readUnitsOfItems(
  em: EntityManager,
  shopId: string,
  skus: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sqlPrepared<{ sku: string; units: string }>(
    em,
    `select sku, sum(on_hand::bigint + incoming) as units from stock_level
     where shop_id = $1 and sku = any($2::varchar[]) group by sku`,
    [shopId, skus],
  );
  return new Map(rows.map(({ sku, units }) => [sku, Number(units)]));
}
