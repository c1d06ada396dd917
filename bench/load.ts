import { availableParallelism } from 'node:os';
import { cpuMsOf, othersCpuMs } from './cpu.js';
import { median, percentile, rounded } from './report.js';

export interface Measured {
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** process → CPU time for one request, in milliseconds */
  readonly cpuMs: Readonly<Record<string, number>>;
  /** share of the machine's CPU time that processes outside the benchmark used, 0 to 1 */
  readonly othersShare: number;
}

/** Number of clients; each sends its next request after the response. */
export const clientsDefault = 32;

/** Sends requests without measuring them. */
export async function warmUp(
  times: number,
  send: () => Promise<unknown>,
  clients = clientsDefault,
): Promise<void> {
  let left = times;
  const client = async () => {
    while (left-- > 0) await send();
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/**
 * Measures rate, latency and CPU time under load.
 *
 * @param processIds name → process whose CPU time is measured
 */
async function measureLoad(
  seconds: number,
  processIds: Readonly<Record<string, number>>,
  send: () => Promise<unknown>,
  clients = clientsDefault,
): Promise<Measured> {
  const before = Object.entries(processIds).map(([name, id]) => [name, id, cpuMsOf(id)] as const);
  const latenciesMs: number[] = [];
  const othersBeforeMs = othersCpuMs();
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  const client = async () => {
    while (performance.now() < endMs) {
      const sentMs = performance.now();
      await send();
      latenciesMs.push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  const othersSeconds = (othersCpuMs() - othersBeforeMs) / 1000;
  return {
    rate: latenciesMs.length / elapsedSeconds,
    othersShare: Math.max(0, othersSeconds / (elapsedSeconds * availableParallelism())),
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    cpuMs: Object.fromEntries(
      before.map(([name, id, ms]) => [name, (cpuMsOf(id) - ms) / latenciesMs.length]),
    ),
  };
}

export interface CasesOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** requests of each case before the measurement, until V8 has compiled the hot code */
  readonly warmUpRequests: number;
  readonly processIds: Readonly<Record<string, number>>;
  readonly clients?: number;
  progress(line: string): void;
}
export type MeasuredCases = ReadonlyMap<string, readonly Measured[]>;

/** Measures each case once per round, so that other load of the machine affects all alike. */
export async function measureCases(
  cases: Readonly<Record<string, () => Promise<unknown>>>,
  { rounds, seconds, warmUpRequests, processIds, clients, progress }: CasesOptions,
): Promise<MeasuredCases> {
  for (const send of Object.values(cases)) await warmUp(warmUpRequests, send, clients);
  progress('warm-up done');
  const measured = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, send] of Object.entries(cases)) {
      const result = await measureLoad(seconds, processIds, send, clients);
      measured.set(name, [...(measured.get(name) ?? []), result]);
    }
    progress(`round ${round + 1} of ${rounds}`);
  }
  return measured;
}

const quietShareMax = 0.05;

/** The windows without much other load; the quieter half, if most had some. */
export function quietOnes(measured: readonly Measured[]): readonly Measured[] {
  const half = Math.ceil(measured.length / 2);
  const byLoad = measured.toSorted((a, b) => a.othersShare - b.othersShare);
  const quiet = byLoad.filter(({ othersShare }) => othersShare <= quietShareMax);
  return quiet.length < half ? byLoad.slice(0, half) : quiet;
}

/** The median of a figure in the quiet windows of a case; NaN if the case was not measured. */
export const medianOf = (
  measured: MeasuredCases,
  name: string,
  figure: (one: Measured) => number,
): number => median(quietOnes(measured.get(name) ?? []).map(figure));

/** CPU time of one request in all processes, in milliseconds. */
export const cpuMsOfAll = ({ cpuMs }: Measured) =>
  Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);

/** The medians of each case: rate, latencies, other load, and CPU time of one request in all processes and in each. */
export function resultsOf(measured: MeasuredCases) {
  return [...measured].map(([name, all]) => {
    const of = (figure: (one: Measured) => number) => medianOf(measured, name, figure);
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
      'others %': rounded(
        of(({ othersShare }) => othersShare * 100),
        0,
      ),
      cpuMs: rounded(of(cpuMsOfAll), 2),
      ...Object.fromEntries(byPart),
    };
  });
}
