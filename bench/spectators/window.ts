import { cpuMsOf } from '../cpu.js';
import { readMetrics } from '../metrics.js';
import { percentile, rounded } from '../report.js';
import type { SystemProcesses } from '../system-processes.js';

export interface Window {
  readonly case: string;
  readonly ordersPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** orders that were not accepted */
  readonly refused: number;
  /** event loop delays */
  readonly 'order p99 ms': number;
  readonly 'warehouse p99 ms': number;
  readonly 'router p99 ms': number;
  readonly 'breakers opened': number;
  readonly 'router MB': number;
  readonly watching: number;
  /** share of one core that the spectators' process used */
  readonly 'crowd cores': number;
}

export interface WindowOptions {
  readonly system: SystemProcesses;
  readonly clients: number;
  readonly crowdProcessId: number;
  breakersOpened(): number;
}

/**
 * Sends orders for some time, each client its next one after the answer.
 *
 * @param order @returns whether it was accepted
 * @param during runs beside the orders; the window ends after `seconds` and when it has ended
 */
export async function measureWindow(
  name: string,
  seconds: number,
  order: () => Promise<boolean>,
  { system, clients, crowdProcessId, breakersOpened }: WindowOptions,
  during: () => Promise<unknown> = async () => {},
): Promise<Window> {
  const scrape = () =>
    Promise.all(
      (['order', 'warehouse', 'router'] as const).map((each) =>
        readMetrics(system.metricsUrl(each)),
      ),
    );
  await scrape(); // resets the delays
  const openedBefore = breakersOpened();
  const crowdBeforeMs = cpuMsOf(crowdProcessId);
  const startedMs = performance.now();
  let ended = false;
  const inTime = new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const ending = Promise.all([inTime, during()]).finally(() => {
    ended = true;
  });
  const latenciesMs: number[] = [];
  let refused = 0;
  const client = async () => {
    while (!ended) {
      const sentMs = performance.now();
      const isAccepted = await order().catch(() => false);
      if (ended) return;
      if (isAccepted) latenciesMs.push(performance.now() - sentMs);
      else refused += 1;
    }
  };
  const working = Promise.all(Array.from({ length: clients }, client));
  await ending;
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  const crowdMs = cpuMsOf(crowdProcessId) - crowdBeforeMs;
  const [ofOrder, ofWarehouse, ofRouter] = await scrape();
  await working;
  const delayMs = (metrics: Awaited<ReturnType<typeof readMetrics>> | undefined) =>
    rounded((metrics?.('nodejs_eventloop_lag_p99_seconds') ?? Number.NaN) * 1000);
  return {
    case: name,
    ordersPerSecond: rounded(latenciesMs.length / elapsedSeconds),
    p50Ms: rounded(percentile(latenciesMs, 0.5)),
    p99Ms: rounded(percentile(latenciesMs, 0.99)),
    refused,
    'order p99 ms': delayMs(ofOrder),
    'warehouse p99 ms': delayMs(ofWarehouse),
    'router p99 ms': delayMs(ofRouter),
    'breakers opened': breakersOpened() - openedBefore,
    'router MB': rounded((ofRouter?.('process_resident_memory_bytes') ?? Number.NaN) / 2 ** 20, 0),
    watching: ofRouter?.('holdfast_subscriptions_open') ?? Number.NaN,
    'crowd cores': rounded(crowdMs / 1000 / elapsedSeconds, 2),
  };
}
