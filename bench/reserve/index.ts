import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DispatcherLimits } from '../../subgraphs/warehouse/reservation/dispatcher/dispatcher-limits.js';
import { type BenchEnvironment, openEnvironment } from '../environment.js';
import {
  type CaseResult,
  type Check,
  invariantsCheck,
  median,
  type Outcome,
  percentile,
  rounded,
} from '../report.js';
import { stockUp, stockUpWarehouses } from '../stock-up.js';
import type { CustomersReport, CustomersTask } from './task.js';

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const warmUpSeconds = 2;
// The cases to measure, separated by commas; rates are not checked then. Default: all.
const only = process.env.BENCH_CASES?.split(',');

interface Case {
  readonly name: string;
  readonly processes: number;
  /** in each process */
  readonly customers: number;
  readonly skus: number;
  readonly linesMax: number;
  readonly limits?: Partial<DispatcherLimits>;
  readonly ceiling?: boolean;
  readonly withoutLocks?: boolean;
  /** warehouses of another shop that is sold from at the same time */
  readonly neighbourWarehouses?: number;
}
const hot = { processes: 1, skus: 1, linesMax: 1 };
const allCases: readonly Case[] = [
  { name: 'a', ...hot, customers: 256, limits: { batchMax: 1, lockHoldMaxMs: 0, lanesMax: 1 } },
  { name: 'b64', ...hot, customers: 64 },
  { name: 'b256', ...hot, customers: 256 },
  { name: 'c', ...hot, processes: 2, customers: 256 },
  { name: 'd', ...hot, customers: 256, skus: 100, linesMax: 3 },
  { name: 'd2', ...hot, processes: 2, customers: 256, skus: 100, linesMax: 3 },
  { name: 'n', ...hot, customers: 256, withoutLocks: true },
  { name: 'n2', ...hot, processes: 2, customers: 256, withoutLocks: true },
  { name: 'nd', ...hot, customers: 256, skus: 100, linesMax: 3, withoutLocks: true },
  { name: 'nd2', ...hot, processes: 2, customers: 256, skus: 100, linesMax: 3, withoutLocks: true },
  { name: 'e', ...hot, customers: 256, ceiling: true },
  { name: 'f', ...hot, customers: 256, neighbourWarehouses: 20_000 },
];
const cases = allCases.filter(({ name }) => !only || only.includes(name));
const about: Record<string, string> = {
  a: 'a: one lock and one commit per request',
  b64: 'b: one hot sku, 64 at once',
  b256: 'b: one hot sku, 256 at once',
  c: 'c: two processes, 256 at once each',
  d: 'd: 100 skus, carts of 1 to 3 lines',
  d2: 'd: the same, two processes',
  n: 'b at 256, without lock nodes',
  n2: 'c, without lock nodes',
  nd: 'd, without lock nodes',
  nd2: 'd, two processes, without lock nodes',
  e: 'e: set-based SQL on the driver alone',
  f: 'f: as b at 256, beside a shop with 20,000 warehouses',
};

/** Measures reservations by the engine alone, on stock that never runs out. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const environment = await openEnvironment();
  try {
    const measured = new Map<string, Measurement[]>(cases.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const each of cases) {
        const measurement = await measure(environment, each);
        measured.get(each.name)?.push(measurement);
        const { rate, p99Ms } = measurement;
        progress(`round ${round}/${rounds}  ${about[each.name]}: ${rate}/s, p99 ${p99Ms} ms`);
      }
    }
    const broken = await environment.brokenInvariants();
    const medians = new Map([...measured].map(([name, all]) => [name, mediansOf(all)]));
    return {
      results: [...medians].map(([name, each]) => resultOf(about[name] as string, each)),
      checks: [
        ...(only ? [] : [...checksOf(medians), sharesCheck(measured.get('c') ?? [])]),
        heldCheck(measured),
        invariantsCheck(broken),
      ],
    };
  } finally {
    await environment.close();
  }
}

interface Measurement {
  /** reservations per second */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the engine's and the customers' processes, per reservation */
  readonly cpuMsPerOp: number;
  readonly databaseCpuMsPerOp: number;
  readonly failed: number;
  /** share of all reservations of each process, in percent */
  readonly shares: number[];
}

async function measure(environment: BenchEnvironment, each: Case): Promise<Measurement> {
  const { databaseUrl, redisUrl } = environment;
  const keys = await stockUp(environment, each.skus);
  const { customers, linesMax, limits = {}, neighbourWarehouses } = each;
  const { ceiling = false, withoutLocks = false } = each;
  const neighbour = neighbourWarehouses
    ? await stockUpWarehouses(environment, neighbourWarehouses)
    : undefined;
  const servers = { databaseUrl, redisUrl, withoutLocks };
  const task = { ...servers, keys, customers, linesMax, limits, ceiling, neighbour };
  const children = await Promise.all(Array.from({ length: each.processes }, () => start(task)));
  const cpuBeforeMs = environment.databaseCpuMs();
  const reports = await Promise.all(children.map((child) => child.go()));
  const databaseCpuMs = environment.databaseCpuMs() - cpuBeforeMs;
  return summary(reports, databaseCpuMs);
}

function summary(reports: readonly CustomersReport[], databaseCpuMs: number): Measurement {
  const all = reports.flatMap(({ latenciesMs }) => latenciesMs);
  const sum = (read: (report: CustomersReport) => number) =>
    reports.reduce((total, report) => total + read(report), 0);
  // PostgreSQL's CPU time includes the warm-up.
  const whileMeasured = databaseCpuMs * (seconds / (seconds + warmUpSeconds));
  return {
    rate: Math.round(sum((report) => report.latenciesMs.length / report.seconds)),
    p50Ms: rounded(percentile(all, 0.5)),
    p99Ms: rounded(percentile(all, 0.99)),
    cpuMsPerOp: rounded(sum(({ cpuMs }) => cpuMs) / all.length, 3),
    databaseCpuMsPerOp: rounded(whileMeasured / all.length, 3),
    failed: sum(({ failed }) => failed),
    shares: reports.map((report) => rounded((100 * report.latenciesMs.length) / all.length)),
  };
}

async function start(task: CustomersTask) {
  const program = fileURLToPath(new URL('./customers.js', import.meta.url));
  const profile = process.env.BENCH_PROFILE ? ['--cpu-prof', '--cpu-prof-dir=profiles'] : [];
  const child = fork(program, {
    execArgv: profile,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`a customer process exited with ${code}`)));
  });
  ended.catch(() => {});
  const nextMessage = () =>
    Promise.race([new Promise<unknown>((resolve) => child.once('message', resolve)), ended]);
  const ready = nextMessage();
  child.send(task);
  await ready;
  return {
    async go(): Promise<CustomersReport> {
      const report = nextMessage();
      child.send({ warmUpSeconds, seconds });
      return (await report) as CustomersReport;
    },
  };
}

function mediansOf(all: readonly Measurement[]): Measurement {
  const of = (read: (measurement: Measurement) => number) => median(all.map(read));
  const processes = all[0]?.shares.length ?? 0;
  return {
    rate: of(({ rate }) => rate),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuMsPerOp: of(({ cpuMsPerOp }) => cpuMsPerOp),
    databaseCpuMsPerOp: of(({ databaseCpuMsPerOp }) => databaseCpuMsPerOp),
    failed: of(({ failed }) => failed),
    shares: Array.from({ length: processes }, (_, n) => of(({ shares }) => shares[n] as number)),
  };
}

const resultOf = (name: string, measurement: Measurement): CaseResult => {
  return { case: name, ...measurement };
};

function checksOf(medians: ReadonlyMap<string, Measurement>): Check[] {
  const of = (name: string) => medians.get(name) as Measurement;
  const ratio = (name: string, value: number, least: number): Check => {
    return { name, value: rounded(value, 2), target: `≥ ${least}`, pass: value >= least };
  };
  const [a, b, c, d, e, f] = [of('a'), of('b256'), of('c'), of('d'), of('e'), of('f')];
  const p99 = b.p99Ms / a.p99Ms;
  return [
    ratio('b at 256, relative to a', b.rate / a.rate, 30),
    {
      name: 'p99 of b at 256, relative to a',
      value: rounded(p99, 3),
      target: '< 0.1',
      pass: p99 < 0.1,
    },
    ratio('b at 256, relative to e', b.rate / e.rate, 0.5),
    ratio('c, relative to b at 256', c.rate / b.rate, 0.7),
    ratio('d, relative to a', d.rate / a.rate, 15),
    {
      name: 'p99 of f, relative to b at 256',
      value: rounded(f.p99Ms / b.p99Ms, 2),
      target: '< 3',
      pass: f.p99Ms / b.p99Ms < 3,
    },
  ];
}

function sharesCheck(rounds: readonly Measurement[]): Check {
  return {
    name: 'shares of two processes in each round, in percent',
    value: rounds.map(({ shares }) => shares.join(' / ')).join('; '),
    target: '45 to 55 each',
    pass: rounds.every(({ shares }) => shares.every((share) => share >= 45 && share <= 55)),
  };
}

/** Failed requests are fast and would inflate the rate. */
function heldCheck(measured: ReadonlyMap<string, readonly Measurement[]>): Check {
  const failed = [...measured.values()].flat().reduce((sum, each) => sum + each.failed, 0);
  return {
    name: 'reservations that were not HELD',
    value: failed,
    target: '0',
    pass: failed === 0,
  };
}
