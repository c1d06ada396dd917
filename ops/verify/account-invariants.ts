import { type Invariant, invariantOf } from './invariant.js';

/** The invariants of the user subgraph's database. */
export const accountInvariants: Invariant[] = [
  invariantOf('user', 'a user with addresses has exactly one default address', {
    select: `select user_id, count(*) filter (where is_default) as defaults
      from address group by user_id`,
    holds: 'defaults = 1',
  }),
];
