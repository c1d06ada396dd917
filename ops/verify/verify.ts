import { type Databases, withDatabases } from '../databases/clients.js';
import type { DatabaseUrls } from '../databases/urls.js';
import type { Finding, Invariant } from './invariant.js';
import { orderInvariants } from './order-invariants.js';
import { projectionInvariants } from './projection-invariants.js';
import { stockInvariants } from './stock-invariants.js';

export const invariants: readonly Invariant[] = [
  ...stockInvariants,
  ...orderInvariants,
  ...projectionInvariants,
];

export interface Verdict extends Finding {
  readonly name: string;
}

const lookAgainMs = 500;
// A checkout that stopped half-way is given up after 15 s, by a worker that looks every 5 s.
const settleDefaultMs = 30_000;

/**
 * Looks at every invariant. One that holds only once the system is quiet is looked at again until
 * it holds or `settleMs` are over.
 */
export async function verify(urls: DatabaseUrls, settleMs = settleDefaultMs): Promise<Verdict[]> {
  const deadlineMs = Date.now() + settleMs;
  return withDatabases(urls, 'verify', async (databases) => {
    const verdicts: Verdict[] = [];
    for (const invariant of invariants) {
      verdicts.push(await lookUntil(invariant, databases, deadlineMs));
    }
    return verdicts;
  });
}

async function lookUntil(invariant: Invariant, databases: Databases, deadlineMs: number) {
  for (;;) {
    const finding = await invariant.look(databases);
    const settled = finding.offending.length === 0 || !invariant.onceQuiet;
    if (settled || Date.now() > deadlineMs) return { name: invariant.name, ...finding };
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
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
