import { type Invariant, invariantOf } from './invariant.js';

const deliveryMaxSeconds = 10;

/** The events of each subgraph are delivered. */
export const outboxInvariants: Invariant[] = (
  ['product', 'shop', 'warehouse', 'order'] as const
).map((name) =>
  invariantOf(name, `the outbox of the ${name} subgraph is empty, without dead letters`, {
    key: { id: 'uuid' },
    // The others are in the indexes of due and of dead entries: a full pass reads no more.
    changedWhere: () => 'true',
    select: (only) => `select id, topic, key, created_at, dead_at from outbox
        where sent_at is null and dead_at is null and ${only('id')}
      union all select id, topic, key, created_at, dead_at from outbox
        where sent_at is null and dead_at is not null and ${only('id')}`,
    holds: `dead_at is null and created_at > now() - interval '${deliveryMaxSeconds} s'`,
    // Its consumer may be away for long, which has alerts of its own.
    inProgress: 'dead_at is null',
  }),
);
