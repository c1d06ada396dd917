import { type Databases, withDatabases } from '../databases/clients.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { accountInvariants } from './account-invariants.js';
import type { Finding, Invariant } from './invariant.js';
import { moneyInvariants } from './money-invariants.js';
import { orderInvariants } from './order-invariants.js';
import { projectionInvariants } from './projection-invariants.js';
import { stockInvariants } from './stock-invariants.js';

export const invariants: readonly Invariant[] = [
  ...stockInvariants,
  ...orderInvariants,
  ...projectionInvariants,
  ...accountInvariants,
  ...moneyInvariants,
];

export interface Verdict extends Finding {
  readonly name: string;
}

const retryMs = 500;
// A worker abandons an interrupted checkout after 15 s, and runs every 5 s.
const idleWaitDefaultMs = 30_000;

/**
 * Checks every invariant. One that holds once the system is idle is checked again until it holds, for up to
 * `idleWaitMs`.
 */
export async function verify(
  urls: DatabaseUrls,
  idleWaitMs = idleWaitDefaultMs,
): Promise<Verdict[]> {
  const deadlineMs = Date.now() + idleWaitMs;
  return withDatabases(urls, 'verify', async (databases) => {
    const verdicts: Verdict[] = [];
    for (const invariant of invariants) {
      verdicts.push(await checkUntil(invariant, databases, deadlineMs));
    }
    return verdicts;
  });
}

async function checkUntil(invariant: Invariant, databases: Databases, deadlineMs: number) {
  for (;;) {
    const finding = await invariant.check(databases);
    const isFinal = finding.offending.length === 0 || !invariant.whenIdle;
    if (isFinal || Date.now() > deadlineMs) return { name: invariant.name, ...finding };
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

/** One line for each invariant, and the offending rows under it. */
export function report(verdicts: readonly Verdict[]): string {
  return verdicts
    .flatMap(({ name, rows, offending }) => [
      `${offending.length === 0 ? 'holds ' : 'BROKEN'}  ${String(rows).padStart(8)} rows  ${name}`,
      ...offending.map((row) => `          ${JSON.stringify(row)}`),
    ])
    .join('\n');
}

export const isBroken = (verdicts: readonly Verdict[]) =>
  verdicts.some(({ offending }) => offending.length > 0);
