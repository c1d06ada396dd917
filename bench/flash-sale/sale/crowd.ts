import { setTimeout as sleep } from 'node:timers/promises';
import type { SaleOptions } from './options.js';
import type { Shopper } from './shoppers.js';

/**
 * Sends the shoppers to a store: each as soon as another one is done (closed loop), or at its time, whether or
 * not others are done (open loop).
 *
 * @param visit called with the time at which the shopper arrives, in ms of `performance.now()`; never rejects
 * @returns how late each shopper of an open loop was sent, in ms; a generator that is busy falls behind
 */
export async function sendCrowd(
  shoppers: readonly Shopper[],
  { rate, concurrency }: Pick<SaleOptions, 'rate' | 'concurrency'>,
  visit: (shopper: Shopper, arrivedMs: number) => Promise<void>,
): Promise<readonly number[]> {
  if (rate === undefined) {
    const queue = shoppers.values();
    const customer = async () => {
      // An iterator that they share: each shopper comes once.
      for (const shopper of queue) await visit(shopper, performance.now());
    };
    await Promise.all(Array.from({ length: concurrency }, customer));
    return [];
  }
  const startedMs = performance.now();
  const visits: Promise<void>[] = [];
  const lateMs: number[] = [];
  for (const [n, shopper] of shoppers.entries()) {
    const dueMs = startedMs + (n * 1000) / rate;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    lateMs.push(Math.max(0, performance.now() - dueMs));
    visits.push(visit(shopper, dueMs));
  }
  await Promise.all(visits);
  return lateMs;
}
