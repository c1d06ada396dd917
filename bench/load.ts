import { cpuMsOf } from './environment.js';
import { percentile } from './report.js';

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
