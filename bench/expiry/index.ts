import type { Redis } from 'ioredis';
import { v7 as uuidv7 } from 'uuid';
import type { StockEngine } from '../../subgraphs/warehouse/stock/engine.js';
import { startExpiry } from '../../subgraphs/warehouse/stock/expiry.js';
import { reserveStock } from '../../subgraphs/warehouse/stock/reserve-stock.js';
import type { StockKey } from '../../subgraphs/warehouse/stock/stock-item.js';
import { openEngine } from '../engine.js';
import { type BenchEnvironment, openEnvironment } from '../environment.js';
import { type Outcome, percentile, rounded } from '../report.js';
import { stockUp } from '../stock-up.js';

const otherKeys = 100_000;
const waitMaxMs = 60_000;

/** How many holds, due one after the other over some time, as they are made in a sale. */
interface Load {
  readonly holds: number;
  readonly firstDueAfterMs: number;
  readonly dueOverMs: number;
}
const amongOthers: Load = { holds: 10_000, firstDueAfterMs: 15_000, dueOverMs: 10_000 };
const atOnce: Load = { holds: 20_000, firstDueAfterMs: 12_000, dueOverMs: 1 };

/** How late holds are released: by Redis's events alone, and by the sweeper alone. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const outcomes = [await byEvents(progress), await bySweeper(progress)];
  return {
    results: outcomes.flatMap(({ results }) => results),
    checks: outcomes.flatMap(({ checks }) => checks),
  };
}

/** Among many keys that are not due; the sweeper is switched off. */
const byEvents = (progress: (line: string) => void) =>
  withExpiry(1_000_000_000, async (environment, engine, timers) => {
    await setOtherKeys(timers);
    progress(`${otherKeys} keys that are not due`);
    const [key] = await stockUp(environment, 1);
    await hold(engine, key as StockKey, amongOthers);
    progress(`${amongOthers.holds} holds, due within ${amongOthers.dueOverMs / 1000} s`);
    return outcomeOf('events', environment, amongOthers, { p50Ms: 100, p99Ms: 1000 });
  });

/** Redis is away when all of them are due; no hold may outlive its time by more than 5 s. */
const bySweeper = (progress: (line: string) => void) =>
  withExpiry(500, async (environment, engine) => {
    const [key] = await stockUp(environment, 1);
    await hold(engine, key as StockKey, atOnce);
    await environment.stopRedis();
    progress(`${atOnce.holds} holds, due at once, and no Redis`);
    return outcomeOf('sweeper', environment, atOnce, { maxMs: 5000 });
  });

async function withExpiry(
  sweepEveryMs: number,
  work: (environment: BenchEnvironment, engine: StockEngine, timers: Redis) => Promise<Outcome>,
): Promise<Outcome> {
  const environment = await openEnvironment();
  const { engine, timers, events, close } = await openEngine(environment);
  const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs });
  try {
    return await work(environment, engine, timers);
  } finally {
    await expiry.stop();
    await close();
    await environment.close();
  }
}

async function setOtherKeys(timers: Redis): Promise<void> {
  for (let at = 0; at < otherKeys; at += 10_000) {
    const keys = Array.from({ length: 10_000 }, () => {
      return ['set', `hold:${uuidv7()}`, '', 'PX', 3_600_000];
    });
    await timers.pipeline(keys).exec();
  }
}

async function hold(engine: StockEngine, key: StockKey, load: Load): Promise<void> {
  const { holds, firstDueAfterMs, dueOverMs } = load;
  const startedMs = Date.now();
  const outcomes = Array.from({ length: holds }, async (_, n) => {
    const dueMs = startedMs + firstDueAfterMs + (n * dueOverMs) / holds;
    await new Promise((resolve) => setTimeout(resolve, (n * firstDueAfterMs) / holds / 2));
    const lines = [{ ...key, quantity: 1 }];
    const holdForMs = Math.max(1, Math.round(dueMs - Date.now()));
    return reserveStock(engine, { orderId: uuidv7(), lines, holdForMs });
  });
  await Promise.all(outcomes);
}

async function outcomeOf(
  name: string,
  environment: BenchEnvironment,
  { holds }: Load,
  targets: { readonly p50Ms?: number; readonly p99Ms?: number; readonly maxMs?: number },
): Promise<Outcome> {
  const lagsMs = await lagsOnceExpired(environment);
  const broken = await environment.brokenInvariants();
  const measured = {
    p50Ms: rounded(percentile(lagsMs, 0.5)),
    p99Ms: rounded(percentile(lagsMs, 0.99)),
    maxMs: rounded(percentile(lagsMs, 1)),
  };
  const left = holds - lagsMs.length;
  const late = Object.entries(targets).map(([figure, target]) => {
    const value = measured[figure as keyof typeof measured];
    const named = `${name}: lag behind expiresAt, ${figure}`;
    return { name: named, value, target: `< ${target}`, pass: value < target };
  });
  const whole = broken.join('; ') || 'all hold';
  return {
    results: [{ case: name, holds, ...measured, left }],
    checks: [
      ...late,
      { name: `${name}: holds not released`, value: left, target: '0', pass: left === 0 },
      { name: `${name}: invariants`, value: whole, target: 'all hold', pass: broken.length === 0 },
    ],
  };
}

/** How long after its time each hold was ended, in milliseconds, by PostgreSQL's clock. */
async function lagsOnceExpired({ client }: BenchEnvironment): Promise<number[]> {
  const deadlineMs = Date.now() + waitMaxMs;
  for (;;) {
    const held = await client.query(`select 1 from reservation where state = 'HELD' limit 1`);
    if (held.rowCount === 0 || Date.now() > deadlineMs) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  // The lines of the ledger carry the moment of the release.
  const { rows } = await client.query<{ lag: number }>(
    `select (extract(epoch from m.created_at - r.expires_at) * 1000)::float as lag
     from reservation r join stock_movement m on m.reference = r.order_id::text and m.type = 'RELEASE'
     where r.state = 'EXPIRED'`,
  );
  return rows.map(({ lag }) => lag);
}
