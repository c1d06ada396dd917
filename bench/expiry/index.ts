import type { Redis } from 'ioredis';
import type { StockKey } from '../../subgraphs/contracts/stock-key.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { startExpiry } from '../../subgraphs/warehouse/expiry/expiry.js';
import { reserveStock, type StockEngine } from '../../subgraphs/warehouse/reservation/engine.js';
import { openEngine } from '../engine.js';
import { type BenchEnvironment, openEnvironment } from '../environment.js';
import { invariantsCheck, type Outcome, percentile, rounded } from '../report.js';
import { stockUp } from '../stock-up.js';

const otherKeys = 100_000;
const waitMaxMs = 60_000;

/** Reservations, as in a sale, that expire one after the other over a period. */
interface Load {
  readonly reservations: number;
  readonly firstDueAfterMs: number;
  readonly dueOverMs: number;
}
const amongOthers: Load = { reservations: 10_000, firstDueAfterMs: 15_000, dueOverMs: 10_000 };
const atOnce: Load = { reservations: 10_000, firstDueAfterMs: 15_000, dueOverMs: 1 };
const withoutRedis: Load = { reservations: 20_000, firstDueAfterMs: 12_000, dueOverMs: 1 };
// The cases to measure, separated by commas. Default: all.
const only = process.env.BENCH_CASES?.split(',');

/**
 * Measures the lag of expiry: by Redis's events alone, spread over a period and all at once, and by the
 * sweeper alone. The lag is that of the metric `holdfast_expiry_lag_seconds`: from `expiresAt` by
 * PostgreSQL's clock until the release is committed.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const cases: Record<string, () => Promise<Outcome>> = {
    events: () => byEvents('events', amongOthers, { p50Ms: 100, p99Ms: 1000 }, progress),
    // One commit after the other: the last waits for all others, so only the maximum has a target.
    atOnce: () => byEvents('events, all due at once', atOnce, { maxMs: 5000 }, progress),
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

/** Among many keys that are not due; the sweeper is off. */
const byEvents = (name: string, load: Load, targets: Targets, progress: (line: string) => void) =>
  withExpiry(1_000_000_000, async ({ environment, engine, timers, lagsMs }) => {
    await setOtherKeys(timers);
    progress(`${otherKeys} other keys set`);
    const [key] = await stockUp(environment, 1);
    await reserve(engine, key as StockKey, load);
    progress(`${load.reservations} reservations, due within ${load.dueOverMs / 1000} s`);
    return outcomeOf(name, environment, lagsMs, load, targets);
  });

/** Redis is down when all of them are due; each must be released within 5 s of its expiry. */
const bySweeper = (progress: (line: string) => void) =>
  withExpiry(500, async ({ environment, engine, lagsMs }) => {
    const [key] = await stockUp(environment, 1);
    await reserve(engine, key as StockKey, withoutRedis);
    await environment.stopRedis();
    progress(`${withoutRedis.reservations} reservations, due at once, without Redis`);
    return outcomeOf('sweeper', environment, lagsMs, withoutRedis, { maxMs: 5000 });
  });

interface Parts {
  readonly environment: BenchEnvironment;
  readonly engine: StockEngine;
  readonly timers: Redis;
  /** of each released reservation */
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

async function reserve(engine: StockEngine, key: StockKey, load: Load): Promise<void> {
  const { reservations, firstDueAfterMs, dueOverMs } = load;
  const startedMs = Date.now();
  const outcomes = Array.from({ length: reservations }, async (_, n) => {
    const dueMs = startedMs + firstDueAfterMs + (n * dueOverMs) / reservations;
    await new Promise((resolve) => setTimeout(resolve, (n * firstDueAfterMs) / reservations / 2));
    const lines = [{ ...key, quantity: 1 }];
    const reserveForMs = Math.max(1, Math.round(dueMs - Date.now()));
    return reserveStock(engine, { orderId: newId(), lines, reserveForMs });
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
  { reservations }: Load,
  targets: Targets,
): Promise<Outcome> {
  await untilExpired(environment);
  const broken = await environment.brokenInvariants();
  const measured = {
    p50Ms: rounded(percentile(lagsMs, 0.5)),
    p99Ms: rounded(percentile(lagsMs, 0.99)),
    maxMs: rounded(percentile(lagsMs, 1)),
  };
  const left = reservations - lagsMs.length;
  const late = Object.entries(targets).map(([figure, target]) => {
    const value = measured[figure as keyof typeof measured];
    const named = `${name}: lag after expiresAt, ${figure}`;
    return { name: named, value, target: `< ${target}`, pass: value < target };
  });
  return {
    results: [{ case: name, reservations, ...measured, left }],
    checks: [
      ...late,
      { name: `${name}: reservations not released`, value: left, target: '0', pass: left === 0 },
      { ...invariantsCheck(broken), name: `${name}: invariants` },
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
