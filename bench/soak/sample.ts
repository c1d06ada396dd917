import { cpuMsOf, othersCpuMs } from '../cpu.js';
import type { Held } from '../leaks/inspector.js';
import { openInspector } from '../leaks/inspector.js';
import { rounded } from '../report.js';
import type { Latency } from './arrivals.js';
import type { Limit, Series } from './flatness.js';
import { isPruned, type TableSize } from './tables.js';

/** What was read after one minute of load, while nothing was in flight. */
export interface Sample {
  readonly held: Readonly<Record<string, Held>>;
  /** process → cores used during the load */
  readonly cores: Readonly<Record<string, number>>;
  readonly latencies: Readonly<Record<string, Latency>>;
  readonly tables: Readonly<Record<string, TableSize>>;
}

const heapLimit = { times: 1.05 };
// The connections of one pool to PostgreSQL may be open or not.
const socketsLimit = { times: 1, more: 10 };
const handlesLimit = { times: 1 };
const p99Limit = { times: 1.2 };
// Both spare small tables: a few rows, a few pages of 8 kB.
const rowsLimit = { times: 1.1, more: 10 };
const mbLimit = { times: 1.5, more: 0.1 };
// An import a minute has no p99.
const withoutP99 = ['import'];
// The double of the payment provider keeps its payments in memory; it is no part of the product.
const doubles = ['sandbox'];
// Work outside the benchmark, which changes latencies.
const othersName = 'other work';

/** Reads what processes hold, by the inspectors that they print, and the CPU time that they use. */
export async function openSampler(
  processIds: Readonly<Record<string, number>>,
  inspectorUrls: ReadonlyMap<string, string>,
) {
  const unseen = Object.keys(processIds).filter(
    (name) => name !== 'postgres' && !inspectorUrls.has(name),
  );
  if (unseen.length > 0) throw new Error(`no inspector of: ${unseen.join(', ')}`);
  const inspectors = await Promise.all(
    [...inspectorUrls].map(async ([name, url]) => [name, await openInspector(url)] as const),
  );
  const readCpuMs = () =>
    Object.fromEntries(Object.entries(processIds).map(([name, id]) => [name, cpuMsOf(id)]));
  return {
    /** One after the other. Each is stopped meanwhile, up to some seconds, so that the router logs it as unreachable. */
    async readHeld(): Promise<Record<string, Held>> {
      const held: Record<string, Held> = {};
      for (const [name, inspector] of inspectors) held[name] = await inspector.read();
      return held;
    },
    /** @returns a function that returns process → cores used since now, with those of this process and of others */
    startCpu() {
      const [before, beforeOfClients] = [readCpuMs(), process.cpuUsage()];
      const [othersBeforeMs, startedMs] = [othersCpuMs(), performance.now()];
      return () => {
        const elapsedMs = performance.now() - startedMs;
        const after = Object.entries(readCpuMs());
        const cores = after.map(
          ([name, ms]) => [name, rounded((ms - (before[name] ?? 0)) / elapsedMs, 3)] as const,
        );
        const { user, system } = process.cpuUsage(beforeOfClients);
        const clients = rounded((user + system) / 1000 / elapsedMs, 3);
        const others = rounded(Math.max(0, othersCpuMs() - othersBeforeMs) / elapsedMs, 3);
        return { ...Object.fromEntries(cores), clients, [othersName]: others };
      };
    },
    close() {
      for (const [, each] of inspectors) each.close();
    },
  };
}

/** The figures of a run, each with its limit if it has one. */
export function seriesOf(samples: readonly Sample[]): Series[] {
  const names = (key: keyof Sample) => [
    ...new Set(samples.flatMap((each) => Object.keys(each[key]))),
  ];
  const of = (name: string, figure: (sample: Sample) => number | undefined, limit?: Limit) => ({
    name,
    values: samples.map((sample) => figure(sample) ?? Number.NaN),
    ...(limit && { limit }),
  });
  return [
    ...names('held').flatMap((name) => [
      of(
        `${name}: heap MB`,
        ({ held }) => rounded((held[name]?.heapBytes ?? Number.NaN) / 2 ** 20, 2),
        doubles.includes(name) ? undefined : heapLimit,
      ),
      of(`${name}: sockets`, ({ held }) => held[name]?.sockets, socketsLimit),
      of(`${name}: handles`, ({ held }) => sumOf(held[name]?.handles), handlesLimit),
      of(`${name}: timers`, ({ held }) => held[name]?.timers),
      of(`${name}: abort signals`, ({ held }) => held[name]?.abortSignals),
    ]),
    ...names('cores').map((name) => of(`${name}: cores used`, ({ cores }) => cores[name])),
    of('system and clients: cores used', ({ cores }) =>
      rounded(sumOf(cores) - (cores[othersName] ?? 0), 2),
    ),
    ...names('latencies').flatMap((kind) => [
      of(`${kind}: requests`, ({ latencies }) => latencies[kind]?.requests),
      of(`${kind}: p50 ms`, ({ latencies }) => latencies[kind]?.p50Ms),
      of(
        `${kind}: p99 ms`,
        ({ latencies }) => latencies[kind]?.p99Ms,
        withoutP99.includes(kind) ? undefined : p99Limit,
      ),
    ]),
    ...names('tables').flatMap((table) => [
      of(
        `${table}: rows`,
        ({ tables }) => tables[table]?.rows,
        isPruned(table) ? rowsLimit : undefined,
      ),
      of(`${table}: live tuples`, ({ tables }) => tables[table]?.live),
      of(`${table}: dead tuples`, ({ tables }) => tables[table]?.dead),
      of(`${table}: MB`, ({ tables }) => tables[table]?.mb, isPruned(table) ? mbLimit : undefined),
    ]),
  ];
}

const sumOf = (counts: Readonly<Record<string, number>> = {}) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
