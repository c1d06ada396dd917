import {
  type Finding,
  type Invariant,
  type OffendingRow,
  type Scope,
  suspectsMax,
} from './invariant.js';
import { DeadlinePassed, type OpenReaders } from './readers.js';

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
  /** for each look at an invariant, not for all looks together */
  readonly deadlineMs: number;
  /** Whether nothing is in progress: then a row that has not reached its final state offends. */
  readonly atRest: boolean;
  /** Called with each verdict, once it is final. */
  readonly onVerdict?: (verdict: Verdict) => void;
}

const pauseMinMs = 500;
const pauseMaxMs = 2000;
/** Complete looks at a system at rest: work that ends may start other work, but not endlessly. */
const completeLooksMax = 10;

/**
 * Checks invariants. Rows that offend are looked at again, and only those, until they hold or have offended
 * for `looksApartMs`. An invariant that has such rows, passes its deadline or cannot be read delays no other.
 *
 * At rest, rows that held in the end were in progress, which may have broken another invariant after its look:
 * then everything is looked at again, until nothing is in progress.
 */
export async function checkAll(
  open: OpenReaders,
  checks: readonly Check[],
  options: LookOptions,
): Promise<Verdict[]> {
  if (!options.atRest)
    return (await lookAtAll(open, checks, options)).map(({ verdict }) => verdict);
  for (let looks = 1; ; looks++) {
    const results = await lookAtAll(open, checks, options);
    const verdicts = results.map(({ verdict }) => verdict);
    const wasInProgress = results.some(({ hadSuspects }) => hadSuspects);
    const isBroken = verdicts.some(
      ({ offending, notChecked }) => offending.length > 0 || notChecked,
    );
    if (!wasInProgress || isBroken) return verdicts;
    if (looks < completeLooksMax) continue;
    return results.map(({ verdict, hadSuspects }) =>
      hadSuspects ? { ...verdict, notChecked: 'rows were in progress at each look' } : verdict,
    );
  }
}

interface Result {
  readonly verdict: Verdict;
  /** whether a row offended at the first look */
  readonly hadSuspects: boolean;
}

function lookAtAll(open: OpenReaders, checks: readonly Check[], options: LookOptions) {
  const inLane = createLanes(open.lanes);
  return Promise.all(
    checks.map(async (check): Promise<Result> => {
      let looked = await inLane(() => firstLook(open, check, options));
      const hadSuspects = looked.verdict.offending.length > 0;
      for (let pauseMs = pauseMinMs; isSuspected(looked); pauseMs *= 2) {
        const nextMs = Math.min(pauseMs, pauseMaxMs, looked.confirmsAt - performance.now());
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs)));
        const before = looked;
        looked = await inLane(() => lookAgain(open, before, options));
      }
      options.onVerdict?.(looked.verdict);
      return { verdict: looked.verdict, hadSuspects };
    }),
  );
}

interface Looked {
  readonly check: Check;
  readonly verdict: Verdict;
  /** From when on a look confirms what it finds, in ms of `performance.now()`. */
  readonly confirmsAt: number;
  readonly isConfirmed: boolean;
}

const isSuspected = ({ verdict, isConfirmed }: Looked) =>
  verdict.offending.length > 0 && !isConfirmed;

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

async function lookAgain(open: OpenReaders, looked: Looked, options: LookOptions): Promise<Looked> {
  const { verdict: before, check, confirmsAt } = looked;
  const { invariant } = check;
  const isLast = performance.now() >= confirmsAt;
  const scopes: Scope[] = [{ of: 'rows', rows: before.offending }];
  const now = await look(open, { invariant, scopes }, options);
  const ids = new Set(before.offending.map((row) => idOf(invariant, row)));
  const offending = now.offending.filter((row) => ids.has(idOf(invariant, row)));
  const excused = distinct(invariant, [...before.excused, ...now.excused]);
  // Further rows may offend that were not returned, as there were too many.
  const isCut = before.offending.length >= suspectsMax && offending.length === 0;
  const notChecked = isCut ? `over ${suspectsMax} rows were in progress` : now.notChecked;
  return { ...looked, isConfirmed: isLast, verdict: { ...before, offending, excused, notChecked } };
}

async function look(open: OpenReaders, { invariant, scopes }: Check, options: LookOptions) {
  const { name } = invariant;
  const offending: OffendingRow[] = [];
  const excused: OffendingRow[] = [];
  let rows = 0;
  try {
    for (const scope of scopes) {
      const limits = { deadlineMs: options.deadlineMs, byIndex: scope.of !== 'all' };
      const finding = await invariant.check(open.readersFor(limits), scope, options.atRest);
      rows += finding.rows;
      offending.push(...finding.offending);
      excused.push(...finding.excused);
    }
    return {
      name,
      rows,
      offending: distinct(invariant, offending),
      excused: distinct(invariant, excused),
      notChecked: null,
      tookMs: 0,
    };
  } catch (error) {
    const late = error instanceof DeadlinePassed;
    const notChecked = late
      ? `it took longer than ${options.deadlineMs / 1000} s`
      : (error as Error).message;
    return { name, rows, offending: [], excused: [], notChecked, tookMs: 0 };
  }
}

/** What identifies a row of an invariant. */
const idOf = ({ key }: Invariant, row: OffendingRow): string =>
  JSON.stringify(key.map((column) => row[column]));

/** Each row once, as it was found last, and at most as many as one look may find. */
export function distinct(invariant: Invariant, rows: readonly OffendingRow[]): OffendingRow[] {
  const byId = new Map(rows.map((row) => [idOf(invariant, row), row]));
  return [...byId.values()].slice(0, suspectsMax);
}

/** Executes work in so many lanes: further work waits until one is free, in its order. */
function createLanes(count: number) {
  const waiting: (() => void)[] = [];
  let free = count;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
