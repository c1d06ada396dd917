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
