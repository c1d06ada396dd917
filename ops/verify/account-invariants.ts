import { type Invariant, invariantOf, setIn } from './invariant.js';

/** The invariants of the user subgraph's database. */
export const accountInvariants: Invariant[] = [
  invariantOf('user', 'a user with addresses has exactly one default address', {
    key: { user_id: 'uuid' },
    changed: (period) =>
      `select distinct user_id from address where ${setIn(period, 'updated_at')}`,
    select: (only) => `select user_id, count(*) filter (where is_default) as defaults
      from address where ${only('user_id')} group by user_id`,
    holds: 'defaults = 1',
  }),
];
