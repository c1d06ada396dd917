import type { DatabaseUrls } from '../databases/urls.js';
import { accountInvariants } from './account-invariants.js';
import type { Invariant, Moments } from './invariant.js';
import { checkAll, type LookOptions, type Verdict } from './looks.js';
import { moneyInvariants } from './money-invariants.js';
import { orderInvariants } from './order-invariants.js';
import { outboxInvariants } from './outbox-invariants.js';
import { paymentInvariants } from './payment-invariants.js';
import { projectionInvariants } from './projection-invariants.js';
import { type OpenReaders, openReaders } from './readers.js';
import { reservationInvariants } from './reservation-invariants.js';
import { saleAdmissionInvariants } from './sale-admission-invariants.js';
import { saleAllocationInvariants } from './sale-allocation-invariants.js';
import { saleInvariants } from './sale-invariants.js';
import { saleLineInvariants } from './sale-line-invariants.js';
import { saleOrderInvariants } from './sale-order-invariants.js';
import { saleQueueInvariants } from './sale-queue-invariants.js';
import { soldOnlyInvariants } from './sold-only-invariants.js';
import { stockInvariants } from './stock-invariants.js';
import { uniqueValueInvariants } from './unique-value-invariants.js';

export const invariants: readonly Invariant[] = [
  ...stockInvariants,
  ...orderInvariants,
  ...saleOrderInvariants,
  ...saleQueueInvariants,
  ...saleAdmissionInvariants,
  ...paymentInvariants,
  ...uniqueValueInvariants,
  ...outboxInvariants,
  ...reservationInvariants,
  ...saleLineInvariants,
  ...soldOnlyInvariants,
  ...saleAllocationInvariants,
  ...projectionInvariants,
  ...accountInvariants,
  ...moneyInvariants,
  ...saleInvariants,
];

export const looksApartMs = 10_000;
/** of an invariant in a full pass */
export const fullDeadlineMs = 10 * 60_000;

/**
 * For a system that nobody uses: work in progress is waited for. A worker abandons an interrupted checkout
 * after 15 s, and runs every 5 s.
 */
export const atRest = { atRest: true, looksApartMs: 30_000 };

export interface VerifyOptions extends Partial<LookOptions> {
  /** Checks only rows that may have changed since. */
  readonly changedSince?: Moments;
  /** By default all. */
  readonly only?: readonly Invariant[];
}

/**
 * Checks every invariant.
 *
 * @throws if a database cannot be read
 */
export async function verify(urls: DatabaseUrls, options: VerifyOptions = {}): Promise<Verdict[]> {
  const readers = openReaders(urls);
  try {
    return await verifyWith(readers, options);
  } finally {
    await readers.end();
  }
}

/** As `verify`, with connections that the caller keeps: to open them costs as much as to check a small store. */
export async function verifyWith(
  readers: OpenReaders,
  options: VerifyOptions = {},
): Promise<Verdict[]> {
  const { changedSince: since, only = invariants, ...looks } = options;
  await readers.now('all');
  const scopes = [since ? ({ of: 'changed', since } as const) : ({ of: 'all' } as const)];
  const checks = only.map((invariant) => ({ invariant, scopes }));
  const defaults = { looksApartMs, deadlineMs: fullDeadlineMs, atRest: false };
  return checkAll(readers, checks, { ...defaults, ...looks });
}

const shownMax = 20;

/** One line for each invariant, and offending rows under it. */
export function report(verdicts: readonly Verdict[]): string {
  return verdicts
    .flatMap(({ name, rows, offending, notChecked }) => {
      const left = offending.length - shownMax;
      const result = offending.length > 0 ? 'BROKEN' : notChecked ? 'NOT CHECKED' : 'holds';
      return [
        `${result.padEnd(11)}  ${String(rows).padStart(8)} rows  ${name}`,
        ...(notChecked ? [`             ${notChecked}`] : []),
        ...offending.slice(0, shownMax).map((row) => `             ${JSON.stringify(row)}`),
        ...(left > 0 ? [`             and ${left} more`] : []),
      ];
    })
    .join('\n');
}

/** Whether an invariant is broken, or it is not known whether it is. */
export const isBroken = (verdicts: readonly Verdict[]) =>
  verdicts.some(({ offending, notChecked }) => offending.length > 0 || notChecked !== null);
