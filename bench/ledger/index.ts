import type pg from 'pg';
import { connect } from '../../subgraphs/shared/database/connect.js';
import { keepPartitions } from '../../subgraphs/shared/database/partitions/keep-partitions.js';
import {
  addMonths,
  firstDayOf,
  firstDayText,
  monthOf,
} from '../../subgraphs/shared/database/partitions/month.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { databaseSchema } from '../../subgraphs/warehouse/mikro-orm.config.js';
import { ledgerPartitions } from '../../subgraphs/warehouse/stock/ledger-checkpoint.js';
import { movementIdSql } from '../../subgraphs/warehouse/stock/movement-id.js';
import { stockAt } from '../../subgraphs/warehouse/stock/stock-at.js';
import { logger } from '../engine.js';
import { type BenchEnvironment, openEnvironment } from '../environment.js';
import {
  type CaseResult,
  type Check,
  median,
  type Outcome,
  percentile,
  rounded,
} from '../report.js';

const movements = Number(process.env.BENCH_MOVEMENTS ?? 1_000_000);
const levels = Number(process.env.BENCH_DETACHED_LEVELS ?? 1_000_000);
const keptMonths = 36;
const lookUps = 200;
const medianMaxMs = 2;
const rowsPerInsert = 100_000;

/**
 * Measures `stockAt` on a level with a million movements in 36 months, and how long the partition job needs to
 * store the checkpoints of a month in which a million levels have a movement.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const environment = await openEnvironment();
  try {
    const { result, check } = await measureLookUps(environment, progress);
    progress(JSON.stringify(result));
    const detached = await measureDetaching(environment, progress);
    progress(JSON.stringify(detached));
    return { results: [result, detached], checks: [check] };
  } finally {
    await environment.close();
  }
}

const monthBefore = (months: number) => addMonths(monthOf(new Date()), -months);

const makePartition = (client: pg.Client, monthsAgo: number) =>
  client.query(`select make_partition('stock_movement', $1)`, [
    firstDayText(monthBefore(monthsAgo)),
  ]);

/** Inserts levels of a shop, each with so many movements. @returns its shop and warehouse */
async function insertLevels(client: pg.Client, count: number, movementsOfEach: number) {
  const place = { shopId: newId(), warehouseId: newId() };
  await client.query(`insert into warehouse (id, shop_id, name) values ($1, $2, 'bench')`, [
    place.warehouseId,
    place.shopId,
  ]);
  for (let done = 0; done < count; done += rowsPerInsert) {
    await client.query(
      `with item as (
         insert into stock_item (shop_id, sku, available)
         select $1, 'SKU-' || n, $3 from generate_series($4::int, $5::int) n returning shop_id, sku)
       insert into stock_level (id, shop_id, warehouse_id, sku, on_hand, last_seq)
       select uuidv7(), shop_id, $2, sku, $3, $3 from item`,
      [
        place.shopId,
        place.warehouseId,
        movementsOfEach,
        done + 1,
        Math.min(done + rowsPerInsert, count),
      ],
    );
  }
  return place;
}

/** Inserts movements `$2` to `$3` of the levels of a shop, one unit each, `$5` ms apart from `$4` on, in Unix ms. */
const insertMovements = `
  insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta, on_hand,
    reserved, committed, unavailable, actor, created_at, occurred_at)
  select shop_id, level_id, ${movementIdSql('ms', 'n', 'gen_random_uuid()')}, n, 'RECEIPT', 1, 0, n, 0, 0, 0,
    'bench', to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0)
  from (
    select l.shop_id, l.id as level_id, n, $4::bigint + n * $5::bigint as ms
    from stock_level l cross join generate_series($2::bigint, $3::bigint) n where l.shop_id = $1) m`;

async function measureLookUps(
  { client, databaseUrl }: BenchEnvironment,
  progress: (line: string) => void,
): Promise<{ result: CaseResult; check: Check }> {
  const startMs = firstDayOf(monthBefore(keptMonths)).getTime();
  const stepMs = Math.floor((Date.now() - startMs) / movements);
  for (let months = keptMonths; months > 0; months--) await makePartition(client, months);
  const place = await insertLevels(client, 1, movements);
  for (let done = 0; done < movements; done += rowsPerInsert) {
    const last = Math.min(done + rowsPerInsert, movements);
    await client.query(insertMovements, [place.shopId, done + 1, last, startMs, stepMs]);
    progress(`${last} of ${movements} movements`);
  }
  await client.query('vacuum analyze');
  const orm = await connect({ name: 'bench', url: databaseUrl, poolMax: 1 }, databaseSchema);
  const times: number[] = [];
  for (let n = 0; n <= lookUps; n++) {
    const atMs = startMs + Math.floor(Math.random() * movements * stepMs);
    const request = { ...place, sku: 'SKU-1', at: new Date(atMs) };
    const em = orm.em.fork();
    const startedAt = performance.now();
    const { onHand } = await stockAt(em, request);
    // The first one opens the connection.
    if (n > 0) times.push(performance.now() - startedAt);
    const expected = Math.floor((atMs - startMs) / stepMs);
    if (onHand !== expected) throw new Error(`stockAt returned ${onHand} units, not ${expected}`);
  }
  await orm.close();
  const medianMs = rounded(median(times), 2);
  return {
    result: {
      case: `stockAt: ${lookUps} times of a level in ${keptMonths} months`,
      rows: movements,
      medianMs,
      p99Ms: rounded(percentile(times, 0.99), 2),
    },
    check: {
      name: `stockAt on a level with ${movements} movements, median ms`,
      value: medianMs,
      target: `< ${medianMaxMs}`,
      pass: medianMs < medianMaxMs,
    },
  };
}

async function measureDetaching(
  { client, databaseUrl }: BenchEnvironment,
  progress: (line: string) => void,
): Promise<CaseResult> {
  const outdated = keptMonths + 1;
  await makePartition(client, outdated);
  const { shopId } = await insertLevels(client, levels, 1);
  progress(`${levels} levels`);
  await client.query(insertMovements, [
    shopId,
    1,
    1,
    firstDayOf(monthBefore(outdated)).getTime(),
    1000,
  ]);
  await client.query('vacuum analyze');
  const startedAt = performance.now();
  await keepPartitions({ databaseUrl, logger }, [ledgerPartitions(keptMonths)]);
  const seconds = rounded((performance.now() - startedAt) / 1000, 2);
  const { rows } = await client.query<{ count: number }>(
    'select count(*)::int as count from ledger_checkpoint',
  );
  if (rows[0]?.count !== levels) throw new Error(`${rows[0]?.count} checkpoints were stored`);
  return { case: 'detaching a month: checkpoints of its levels', rows: levels, seconds };
}
