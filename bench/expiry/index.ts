import type { Redis } from 'ioredis';
import type { StockKey } from '../../subgraphs/contracts/stock-key.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { startExpiry } from '../../subgraphs/warehouse/expiry/expiry.js';
import { reserveStock, type StockEngine } from '../../subgraphs/warehouse/reservation/engine.js';
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
const atOnce: Load = { holds: 10_000, firstDueAfterMs: 15_000, dueOverMs: 1 };
const withoutRedis: Load = { holds: 20_000, firstDueAfterMs: 12_000, dueOverMs: 1 };
// For looking at some of the cases alone: their names, separated by commas.
const only = process.env.BENCH_CASES?.split(',');

/**
 * How late holds are released: by Redis's events alone, due over some time and all at once, and by the
 * sweeper alone. A lag is what the metric `holdfast_expiry_lag_seconds` takes: from `expiresAt` by
 * PostgreSQL's clock until the release was committed.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const cases: Record<string, () => Promise<Outcome>> = {
    events: () => byEvents('events', amongOthers, { p50Ms: 100, p99Ms: 1000 }, progress),
    // One commit after the other: the last waits for all, so that only the whole time has a target.
    atOnce: () => byEvents('events, due at once', atOnce, { maxMs: 5000 }, progress),
    sweeper: () => bySweeper(progress),
  };
  const outcomes: Outcome[] = [];
  for (const [name, measure] of Object.entries(cases)) {
    if (!only || only.includes(name)) outcomes.push(await measure());
  }
  return {
    results: outcomes.flatMap(({ results }) => results),
    checks: outcomes.flatMap(({ checks }) => checks),
  };
}

/** Among many keys that are not due; the sweeper is switched off. */
const byEvents = (name: string, load: Load, targets: Targets, progress: (line: string) => void) =>
  withExpiry(1_000_000_000, async ({ environment, engine, timers, lagsMs }) => {
    await setOtherKeys(timers);
    progress(`${otherKeys} keys that are not due`);
    const [key] = await stockUp(environment, 1);
    await hold(engine, key as StockKey, load);
    progress(`${load.holds} holds, due within ${load.dueOverMs / 1000} s`);
    return outcomeOf(name, environment, lagsMs, load, targets);
  });

/** Redis is away when all of them are due; no hold may outlive its time by more than 5 s. */
const bySweeper = (progress: (line: string) => void) =>
  withExpiry(500, async ({ environment, engine, lagsMs }) => {
    const [key] = await stockUp(environment, 1);
    await hold(engine, key as StockKey, withoutRedis);
    await environment.stopRedis();
    progress(`${withoutRedis.holds} holds, due at once, and no Redis`);
    return outcomeOf('sweeper', environment, lagsMs, withoutRedis, { maxMs: 5000 });
  });

interface Parts {
  readonly environment: BenchEnvironment;
  readonly engine: StockEngine;
  readonly timers: Redis;
  /** of each hold that was released */
  readonly lagsMs: readonly number[];
}

async function withExpiry(
  sweepEveryMs: number,
  work: (parts: Parts) => Promise<Outcome>,
): Promise<Outcome> {
  const environment = await openEnvironment();
  const { engine, timers, events, close } = await openEngine(environment);
  const lagsMs: number[] = [];
  const observe = (seconds: number) => lagsMs.push(seconds * 1000);
  Object.assign(engine.metrics.expiryLag, { observe });
  const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs });
  try {
    return await work({ environment, engine, timers, lagsMs });
  } finally {
    await expiry.stop();
    await close();
    await environment.close();
  }
}

async function setOtherKeys(timers: Redis): Promise<void> {
  for (let at = 0; at < otherKeys; at += 10_000) {
    const keys = Array.from({ length: 10_000 }, () => {
      return ['set', `reservation:${newId()}`, '', 'PX', 3_600_000];
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
    return reserveStock(engine, { orderId: newId(), lines, holdForMs });
  });
  await Promise.all(outcomes);
}

interface Targets {
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly maxMs?: number;
}

async function outcomeOf(
  name: string,
  environment: BenchEnvironment,
  lagsMs: readonly number[],
  { holds }: Load,
  targets: Targets,
): Promise<Outcome> {
  await untilExpired(environment);
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

async function untilExpired({ client }: BenchEnvironment): Promise<void> {
  const deadlineMs = Date.now() + waitMaxMs;
  for (;;) {
    const held = await client.query(`select 1 from reservation where state = 'HELD' limit 1`);
    if (held.rowCount === 0 || Date.now() > deadlineMs) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
