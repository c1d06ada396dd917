import {
  type Finding,
  type Invariant,
  type OffendingRow,
  type Scope,
  suspectsMax,
} from './invariant.js';
import { DeadlinePassed, lanesMax, type OpenReaders } from './readers.js';

export interface Verdict extends Finding {
  readonly name: string;
  /** why it is not known whether the invariant holds; null if it is */
  readonly notChecked: string | null;
  /** duration of its first look */
  readonly tookMs: number;
}

/** An invariant, and what is read for it. */
export interface Check {
  readonly invariant: Invariant;
  readonly scopes: readonly Scope[];
}

export interface LookOptions {
  /** A row counts if it offends at each look over at least this time. */
  readonly looksApartMs: number;
  /** for each look at an invariant */
  readonly deadlineMs: number;
  /** Whether nothing is in progress: then a row that has not reached its final state offends. */
  readonly atRest: boolean;
}

interface Looked {
  readonly check: Check;
  verdict: Verdict;
  /** From when on a look confirms what it finds, in ms of `performance.now()`. */
  readonly confirmsAt: number;
  isConfirmed: boolean;
}

const pauseMinMs = 500;
const pauseMaxMs = 2000;

/**
 * Checks invariants. Rows that offend are looked at again, and only those, until they hold or have offended
 * for `looksApartMs`; all invariants share these pauses. An invariant that passes its deadline, or cannot be
 * read, delays and hides no other.
 */
export async function checkAll(
  open: OpenReaders,
  checks: readonly Check[],
  options: LookOptions,
): Promise<Verdict[]> {
  const looked = await inLanes(checks, (check) => firstLook(open, check, options));
  for (let pauseMs = pauseMinMs; ; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
    const suspected = looked.filter(
      ({ verdict, isConfirmed }) => verdict.offending.length > 0 && !isConfirmed,
    );
    if (suspected.length === 0) break;
    const nextMs = Math.min(...suspected.map(({ confirmsAt }) => confirmsAt)) - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(pauseMs, nextMs))));
    await inLanes(suspected, (each) => lookAgain(open, each, options));
  }
  return looked.map(({ verdict }) => verdict);
}

async function firstLook(open: OpenReaders, check: Check, options: LookOptions): Promise<Looked> {
  const startedAt = performance.now();
  const verdict = await look(open, check, options);
  const endedAt = performance.now();
  return {
    check,
    verdict: { ...verdict, tookMs: endedAt - startedAt },
    confirmsAt: endedAt + options.looksApartMs,
    isConfirmed: false,
  };
}

async function lookAgain(open: OpenReaders, looked: Looked, options: LookOptions): Promise<void> {
  const { verdict: before, check, confirmsAt } = looked;
  const { invariant } = check;
  const isLast = performance.now() >= confirmsAt;
  const scopes: Scope[] = [{ of: 'rows', rows: before.offending }];
  const now = await look(open, { invariant, scopes }, options);
  const ids = new Set(before.offending.map((row) => idOf(invariant, row)));
  const offending = now.offending.filter((row) => ids.has(idOf(invariant, row)));
  looked.isConfirmed = isLast;
  looked.verdict = { ...before, offending, notChecked: now.notChecked };
  // There may be others, which did not fit.
  if (before.offending.length >= suspectsMax && offending.length === 0) {
    looked.verdict = { ...looked.verdict, notChecked: `over ${suspectsMax} rows were in progress` };
  }
}

async function look(open: OpenReaders, { invariant, scopes }: Check, options: LookOptions) {
  const { name } = invariant;
  const found = new Map<string, OffendingRow>();
  let rows = 0;
  try {
    for (const scope of scopes) {
      const limits = { deadlineMs: options.deadlineMs, byIndex: scope.of !== 'all' };
      const finding = await invariant.check(open.readersFor(limits), scope, options.atRest);
      rows += finding.rows;
      for (const row of finding.offending) found.set(idOf(invariant, row), row);
    }
    const offending = [...found.values()].slice(0, suspectsMax);
    return { name, rows, offending, notChecked: null, tookMs: 0 };
  } catch (error) {
    const late = error instanceof DeadlinePassed;
    const notChecked = late
      ? `it took longer than ${options.deadlineMs / 1000} s`
      : (error as Error).message;
    return { name, rows, offending: [], notChecked, tookMs: 0 };
  }
}

/** What identifies a row of an invariant. */
export const idOf = ({ key }: Invariant, row: OffendingRow): string =>
  JSON.stringify(key.map((column) => row[column]));

async function inLanes<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: lanesMax }, lane));
  return results;
}
