import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import type { Verdict } from '../../ops/verify/looks.js';
import { createVerifier } from '../../ops/verify/verifier.js';
import { type CaseResult, type Check, rounded } from '../report.js';

const passesApartMs = 15_000;
// What is older than this is read by no pass: the seed of the store is not what is measured.
const afterSeedMs = 61_000;

/**
 * Sends requests for some minutes, and checks beside them what has changed, as `verify -- --listen` does. At least
 * one pass begins and ends under load.
 *
 * @param sends called in turn by each client
 */
export async function verifyBeside(
  databases: DatabaseUrls,
  minutes: number,
  clients: number,
  sends: readonly (() => Promise<unknown>)[],
): Promise<{ result: CaseResult; checks: Check[] }> {
  const verifier = createVerifier(databases);
  await sleep(afterSeedMs);
  const endMs = performance.now() + minutes * 60_000;
  let requests = 0;
  const client = async () => {
    while (performance.now() < endMs) await sends[requests++ % sends.length]?.();
  };
  const passSeconds: number[] = [];
  const found: Verdict[] = [];
  const repeat = async () => {
    while (performance.now() < endMs) {
      const startedMs = performance.now();
      found.push(...(await verifier.recentPass()));
      passSeconds.push(rounded((performance.now() - startedMs) / 1000, 1));
      await sleep(Math.max(0, Math.min(passesApartMs, endMs - performance.now())));
    }
  };
  try {
    await Promise.all([repeat(), ...Array.from({ length: clients }, client)]);
  } finally {
    await verifier.end();
  }
  const namesOf = (isChosen: (verdict: Verdict) => boolean) =>
    [...new Set(found.filter(isChosen).map(({ name }) => name))].join('; ');
  const broken = namesOf(({ offending }) => offending.length > 0);
  const unchecked = namesOf(({ notChecked }) => notChecked !== null);
  const slowest = found.reduce((max, each) => (each.tookMs > max.tookMs ? each : max));
  return {
    result: {
      case: 'verify beside checkouts',
      'checkouts per second': rounded(requests / (minutes * 60)),
      passes: passSeconds.length,
      'seconds of each pass': passSeconds,
      'longest check, ms': rounded(slowest.tookMs),
      'longest check': slowest.name,
    },
    checks: [
      { name: 'violations under load', value: broken || 0, target: '0', pass: broken === '' },
      { name: 'unchecked under load', value: unchecked || 0, target: '0', pass: unchecked === '' },
    ],
  };
}
