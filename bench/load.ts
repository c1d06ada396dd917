import { cpuMsOf } from './environment.js';
import { median, percentile, rounded } from './report.js';

export interface Measured {
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** process → CPU time for one request, in milliseconds */
  readonly cpuMs: Readonly<Record<string, number>>;
}

/** So many clients, each of which asks again once it is answered. */
export const clientsUsual = 32;

/** Asks so often, and measures nothing. */
export async function askOften(
  times: number,
  ask: () => Promise<unknown>,
  clients = clientsUsual,
): Promise<void> {
  let left = times;
  const client = async () => {
    while (left-- > 0) await ask();
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/**
 * What it costs to be asked for some seconds.
 *
 * @param processIds of whom CPU time is told, by name
 */
export async function measureLoad(
  seconds: number,
  processIds: Readonly<Record<string, number>>,
  ask: () => Promise<unknown>,
  clients = clientsUsual,
): Promise<Measured> {
  const before = Object.entries(processIds).map(([name, id]) => [name, id, cpuMsOf(id)] as const);
  const tookMs: number[] = [];
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  const client = async () => {
    while (performance.now() < endMs) {
      const askedMs = performance.now();
      await ask();
      tookMs.push(performance.now() - askedMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  return {
    rate: tookMs.length / elapsedSeconds,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    cpuMs: Object.fromEntries(
      before.map(([name, id, ms]) => [name, (cpuMsOf(id) - ms) / tookMs.length]),
    ),
  };
}

export interface CasesOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** asked of each case before anything is measured: so long V8 takes to compile what is hot */
  readonly warmUpRequests: number;
  readonly processIds: Readonly<Record<string, number>>;
  readonly clients?: number;
  progress(line: string): void;
}
export type MeasuredCases = ReadonlyMap<string, readonly Measured[]>;

/** Measures each case once a round, so that what else the machine does is shared by all. */
export async function measureCases(
  cases: Readonly<Record<string, () => Promise<unknown>>>,
  { rounds, seconds, warmUpRequests, processIds, clients, progress }: CasesOptions,
): Promise<MeasuredCases> {
  for (const ask of Object.values(cases)) await askOften(warmUpRequests, ask, clients);
  progress('warm');
  const measured = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, ask] of Object.entries(cases)) {
      const result = await measureLoad(seconds, processIds, ask, clients);
      measured.set(name, [...(measured.get(name) ?? []), result]);
    }
    progress(`round ${round + 1} of ${rounds}`);
  }
  return measured;
}

/** CPU time of a request in all processes, in milliseconds. */
export const cpuMsOfAll = ({ cpuMs }: Measured) =>
  Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);

/** The medians of each case: rate, latencies, CPU of a request in all processes and in each. */
export function resultsOf(measured: MeasuredCases) {
  return [...measured].map(([name, all]) => {
    const of = (figure: (one: Measured) => number) => median(all.map(figure));
    const parts = Object.keys(all[0]?.cpuMs ?? {});
    const byPart = parts.map((part) => {
      const cpuMs = of((one) => one.cpuMs[part] ?? 0);
      return [part, rounded(cpuMs, 2)] as const;
    });
    return {
      case: name,
      ratePerSecond: rounded(of(({ rate }) => rate)),
      p50Ms: rounded(of(({ p50Ms }) => p50Ms)),
      p99Ms: rounded(of(({ p99Ms }) => p99Ms)),
      cpuMs: rounded(of(cpuMsOfAll), 2),
      ...Object.fromEntries(byPart),
    };
  });
}
