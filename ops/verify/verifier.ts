import type { DatabaseUrls } from '../databases/urls.js';
import { subgraphNames } from '../subgraph-names.js';
import { type Invariant, type Moments, momentAt, type OffendingRow } from './invariant.js';
import { checkAll, distinct, type LookOptions, type Verdict } from './looks.js';
import { openReaders } from './readers.js';
import { fullDeadlineMs, invariants, looksApartMs } from './verify.js';

/**
 * The id of a row is made before its COMMIT. A transaction of a subgraph lasts 5 s at most, one of an import or
 * an activation 30 s; the rest is for clocks of hosts that differ.
 */
const overlapMs = 60_000;
const recentDeadlineMs = 10_000;
/** The longest time whose changes one pass checks, and the shortest one after deadlines were passed. */
const windowMaxMs = 10 * 60_000;
const windowMinMs = 15_000;
/** Twice the window is expected to take twice the time; the rest is for other load. */
const quickShare = 4;

/** What is known of an invariant between passes. */
interface State {
  /** its changes before are checked */
  checkedUntil: Moments;
  /** for how long a time the next pass checks its changes: halved after each that failed, doubled after quick ones */
  windowMs: number;
  /** rows that break it; like those that were excused they are checked at each pass, until they hold */
  offending: readonly OffendingRow[];
  excused: readonly OffendingRow[];
  /** what full passes found since the last recent pass began */
  ofFullPass: Pick<State, 'offending' | 'excused'>;
}

/**
 * Checks what has changed again and again, and everything from time to time.
 *
 * A recent pass begins where the last pass began, recent or full, that checked the invariant. The state is in
 * memory: after a start a full pass checks what was changed before.
 */
export function createVerifier(
  urls: DatabaseUrls,
  options: Partial<LookOptions> & { readonly only?: readonly Invariant[] } = {},
) {
  const { only = invariants, ...looks } = options;
  const [recent, full] = [openReaders(urls), openReaders(urls)];
  const states = new Map<string, State>();
  const stateOf = ({ name }: Pick<Invariant, 'name'>) => states.get(name) as State;
  const none = { offending: [], excused: [] };

  /** Invariants without a state are checked from now on. */
  function initialize(now: Moments): void {
    for (const { name } of only) {
      if (states.has(name)) continue;
      const state = { checkedUntil: now, windowMs: windowMaxMs, ...none, ofFullPass: none };
      states.set(name, state);
    }
  }
  return {
    /**
     * Checks what may have changed since the last pass, and the rows that did not hold then. Invariants of a
     * database that is away are reported as not checked.
     */
    async recentPass(): Promise<Verdict[]> {
      const now = await recent.now('any');
      initialize(now);
      const ends = new Map<string, Moments>();
      const checks = only.map((invariant) => {
        const state = stateOf(invariant);
        const { ofFullPass } = state;
        state.offending = distinct(invariant, [...state.offending, ...ofFullPass.offending]);
        state.excused = distinct(invariant, [...state.excused, ...ofFullPass.excused]);
        state.ofFullPass = none;
        const end = combined(Math.min, moved(state.checkedUntil, state.windowMs), now);
        ends.set(invariant.name, end);
        const since = moved(state.checkedUntil, -overlapMs);
        const changed = {
          of: 'changed',
          since,
          ...(isBefore(end, now) && { until: end }),
        } as const;
        const rows = [...state.offending, ...state.excused];
        return {
          invariant,
          scopes: rows.length > 0 ? [changed, { of: 'rows', rows } as const] : [changed],
        };
      });
      const defaults = { looksApartMs, deadlineMs: recentDeadlineMs, atRest: false };
      const verdicts = await checkAll(recent, checks, { ...defaults, ...looks });
      return verdicts.map((verdict) => {
        const state = stateOf(verdict);
        const end = ends.get(verdict.name) as Moments;
        if (verdict.notChecked !== null) {
          const triedMs = Math.min(state.windowMs, msBetween(state.checkedUntil, now));
          state.windowMs = Math.max(windowMinMs, triedMs / 2);
          return verdict;
        }
        state.offending = verdict.offending;
        state.excused = verdict.excused;
        state.checkedUntil = combined(Math.max, state.checkedUntil, end);
        const isQuick = verdict.tookMs < recentDeadlineMs / quickShare;
        if (isQuick) state.windowMs = Math.min(windowMaxMs, 2 * state.windowMs);
        if (!isBefore(state.checkedUntil, now)) return verdict;
        const leftSeconds = Math.round(msBetween(state.checkedUntil, now) / 1000);
        return { ...verdict, notChecked: `changes of the last ${leftSeconds} s are left to check` };
      });
    },
    /** Checks everything; may run beside recent passes. @throws if a database is away */
    async fullPass(onVerdict: (verdict: Verdict) => void = () => {}): Promise<Verdict[]> {
      const start = await full.now('all');
      initialize(start);
      const checks = only.map((invariant) => ({ invariant, scopes: [{ of: 'all' } as const] }));
      const record = (verdict: Verdict) => {
        const state = stateOf(verdict);
        if (verdict.notChecked === null) {
          state.checkedUntil = combined(Math.max, state.checkedUntil, start);
          state.ofFullPass = verdict;
        }
        onVerdict(verdict);
      };
      const defaults = { looksApartMs, deadlineMs: fullDeadlineMs, atRest: false };
      return await checkAll(full, checks, { ...defaults, ...looks, onVerdict: record });
    },
    /** The number of rows that are known to break an invariant. */
    violationsOf(name: string): number {
      const invariant = only.find((each) => each.name === name);
      const state = states.get(name);
      if (!invariant || !state) return 0;
      return distinct(invariant, [...state.offending, ...state.ofFullPass.offending]).length;
    },
    end: () => Promise.all([recent.end(), full.end()]),
  };
}

const msOf = (moments: Moments, name: keyof Moments) => Date.parse(moments[name].time);

const momentsOf = (ms: (name: keyof Moments) => number) =>
  Object.fromEntries(subgraphNames.map((name) => [name, momentAt(ms(name))])) as unknown as Moments;

const moved = (moments: Moments, byMs: number) => momentsOf((name) => msOf(moments, name) + byMs);

const combined = (choose: (a: number, b: number) => number, a: Moments, b: Moments) =>
  momentsOf((name) => choose(msOf(a, name), msOf(b, name)));

/** The longest of the times between both, which differ by the database. */
const msBetween = (from: Moments, to: Moments) =>
  Math.max(...subgraphNames.map((name) => msOf(to, name) - msOf(from, name)));

const isBefore = (a: Moments, b: Moments) => msBetween(a, b) > 0;
