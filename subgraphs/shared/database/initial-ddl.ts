/*
 * What the initial migrations of several subgraphs have in common. They have run on existing databases, so
 * nothing here is ever edited: a change to one of these tables is a new migration in each subgraph that has it.
 */

/** Events for other subgraphs, until each is delivered. */
export const outboxDdl = (): readonly string[] => [
  `create table outbox (
    id uuid primary key,
    consumer text not null,
    topic text not null,
    key text not null,
    version int not null,
    payload jsonb not null,
    rejections int not null default 0,
    next_attempt_at timestamptz not null default now(),
    sent_at timestamptz,
    dead_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  // Next entries of the relay, and the age of the oldest (metric).
  `create index outbox_due on outbox (next_attempt_at) where sent_at is null and dead_at is null`,
  // Pruning.
  `create index outbox_sent on outbox (sent_at) where sent_at is not null`,
  // Number of dead letters (metric).
  `create index outbox_dead on outbox (dead_at) where dead_at is not null`,
  // Wakes the relays of all processes at COMMIT.
  `create function outbox_notify_fn() returns trigger as
    $$ begin perform pg_notify('outbox', ''); return null; end; $$ language plpgsql`,
  `create trigger notify after insert on outbox
    for each statement execute function outbox_notify_fn()`,
];

/** Events of other subgraphs that have taken effect here. */
export const inboxDdl = (): readonly string[] => [
  `create table inbox (
    id uuid primary key,
    producer text not null,
    topic text not null,
    created_at timestamptz not null default now()
  )`,
  // Pruning.
  `create index inbox_created_at on inbox (created_at)`,
];

/** Keys under which clients may repeat an operation. */
export const idempotencyKeyDdl = (): readonly string[] => [
  `create table idempotency_key (
    user_id uuid,
    operation text,
    key text,
    fingerprint text not null,
    subject_id uuid not null,
    outcome jsonb,
    claimed_until timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (user_id, operation, key)
  )`,
  // Pruning.
  `create index idempotency_key_created_at on idempotency_key (created_at)`,
  // Whether the request that made an order is still being processed.
  `create index idempotency_key_subject on idempotency_key (subject_id)`,
];

/** SQL for a text in which punctuation that joins words is replaced by spaces. */
export const initialSeparateWordsSql = (text: string) =>
  String.raw`regexp_replace(normalize(${text}), '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+', ' ', 'g')`;
