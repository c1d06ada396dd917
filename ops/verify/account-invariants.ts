import { type Invariant, invariantOf } from './invariant.js';

/** The invariants of the user subgraph's database. */
export const accountInvariants: Invariant[] = [
  invariantOf('user', 'a user with addresses has exactly one default address', {
    key: { user_id: 'uuid' },
    changed: ({ time }) => `select distinct user_id from address where updated_at >= '${time}'`,
    select: (only) => `select user_id, count(*) filter (where is_default) as defaults
      from address where ${only('user_id')} group by user_id`,
    holds: 'defaults = 1',
  }),
];
