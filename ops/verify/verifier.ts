import type { DatabaseUrls } from '../databases/urls.js';
import { type Invariant, type Moments, momentAt, type OffendingRow } from './invariant.js';
import { checkAll, type LookOptions, type Verdict } from './looks.js';
import { openReaders } from './readers.js';
import { fullDeadlineMs, invariants, looksApartMs } from './verify.js';

/**
 * The id of a row is made before its COMMIT, and a transaction of a subgraph lasts 5 s at most; the rest is
 * for clocks of hosts that differ.
 */
const overlapMs = 60_000;
const recentDeadlineMs = 10_000;

/** What is known of an invariant between passes. */
interface State {
  /** when the last pass that checked its changed rows began */
  checkedFrom: Moments;
  /** rows that offended; they are checked at each pass, until they hold */
  open: readonly OffendingRow[];
}

/**
 * Checks what has changed again and again, and everything from time to time.
 *
 * Where a pass has not checked an invariant, the next one begins where that one did. The state is in memory:
 * after a start a full pass checks what was changed before.
 */
export function createVerifier(
  urls: DatabaseUrls,
  options: Partial<LookOptions> & { readonly only?: readonly Invariant[] } = {},
) {
  const { only = invariants, ...looks } = options;
  const [recent, full] = [openReaders(urls), openReaders(urls)];
  const states = new Map<string, State>();
  /** of a full pass, for the next recent one */
  const found = new Map<string, readonly OffendingRow[]>();
  let start: Promise<Moments> | undefined;

  async function stateOf({ name }: Invariant): Promise<State> {
    const state = states.get(name) ?? { checkedFrom: await started(), open: [] };
    states.set(name, state);
    return state;
  }
  /** The first moment that a database said; a failure is not kept. */
  function started(): Promise<Moments> {
    start ??= full.now().catch((error) => {
      start = undefined;
      throw error;
    });
    return start;
  }
  return {
    /** Checks what may have changed since the last pass, and what offended then. @throws if a database is away */
    async recentPass(): Promise<Verdict[]> {
      await started();
      const from = await recent.now();
      const checks = await Promise.all(
        only.map(async (invariant) => {
          const state = await stateOf(invariant);
          state.open = [...state.open, ...(found.get(invariant.name) ?? [])];
          found.delete(invariant.name);
          const changed = { of: 'changed', since: earlier(state.checkedFrom) } as const;
          const rows = { of: 'rows', rows: state.open } as const;
          return { invariant, scopes: state.open.length > 0 ? [changed, rows] : [changed] };
        }),
      );
      const defaults = { looksApartMs, deadlineMs: recentDeadlineMs, atRest: false };
      const verdicts = await checkAll(recent, checks, { ...defaults, ...looks });
      for (const { name, offending, notChecked } of verdicts) {
        const state = states.get(name) as State;
        if (notChecked === null) states.set(name, { checkedFrom: from, open: offending });
        else state.open = [...state.open, ...offending];
      }
      return verdicts;
    },
    /** Checks everything; may run beside recent passes. @throws if a database is away */
    async fullPass(): Promise<Verdict[]> {
      await started();
      await full.now();
      const checks = only.map((invariant) => ({ invariant, scopes: [{ of: 'all' } as const] }));
      const defaults = { looksApartMs, deadlineMs: fullDeadlineMs, atRest: false };
      const verdicts = await checkAll(full, checks, { ...defaults, ...looks });
      for (const { name, offending } of verdicts) found.set(name, offending);
      return verdicts;
    },
    /** The number of rows that are known to break an invariant. */
    violationsOf: (name: string) =>
      (states.get(name)?.open.length ?? 0) + (found.get(name)?.length ?? 0),
    end: () => Promise.all([recent.end(), full.end()]),
  };
}

const earlier = (moments: Moments) =>
  Object.fromEntries(
    Object.entries(moments).map(([name, { time }]) => [
      name,
      momentAt(Date.parse(time) - overlapMs),
    ]),
  ) as unknown as Moments;
