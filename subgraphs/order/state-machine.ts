import { assert } from '../shared/assert.js';

/** A state machine as a table: for each state, the states that may follow. */
export type Transitions<State extends string> = Readonly<Record<State, readonly State[]>>;

/**
 * Checks that a table has a transition. Whether the row is still in the state `from` is checked by the
 * guard of the SQL statement that changes it.
 *
 * @throws AssertionFailed
 */
export function assertTransition<State extends string>(
  transitions: Transitions<State>,
  from: State,
  to: State,
): void {
  assert(transitions[from].includes(to), 'a transition is in the table', `${from} → ${to}`);
}

/**
 * The states to go through from one to another, by the fewest transitions: what another system reports may
 * have skipped some.
 *
 * @returns the states after `from`, `to` included; none if they are the same, null if there is no way
 */
export function pathBetween<State extends string>(
  transitions: Transitions<State>,
  from: State,
  to: State,
): State[] | null {
  const paths: State[][] = [[]];
  const seen = new Set([from]);
  for (const path of paths) {
    const last = path.at(-1) ?? from;
    if (last === to) return path;
    for (const next of transitions[last]) {
      if (seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return null;
}
