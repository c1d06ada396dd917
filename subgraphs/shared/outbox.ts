import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { v7 as uuidv7 } from 'uuid';
import { type EntityManager, listenTo, sql } from './database.js';
import type { Logger } from './logger.js';
import type { ServiceClient } from './service-client.js';
import { startWorker } from './worker.js';

/** What must be told to another subgraph: written in the same commit as the change it tells of. */
@Entity({ tableName: 'outbox' })
@Index({
  name: 'outbox_due',
  expression:
    'create index outbox_due on outbox (next_attempt_at) where sent_at is null and dead_at is null',
})
@Index({
  name: 'outbox_sent',
  expression: 'create index outbox_sent on outbox (sent_at) where sent_at is not null',
})
@Trigger({
  name: 'outbox_notify',
  timing: 'after',
  events: ['insert'],
  forEach: 'statement',
  body: `perform pg_notify('outbox', ''); return null`,
})
export class OutboxEntry {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** the subgraph to tell */
  @Property({ type: 'text' })
  consumer!: string;

  @Property({ type: 'text' })
  topic!: string;

  /** what it is about: the id of an order, a sku, … */
  @Property({ type: 'text' })
  key!: string;

  /** rises with each change of what `key` names; a consumer ignores an older one */
  @Property({ type: 'integer' })
  version!: number;

  @Property({ type: 'jsonb' })
  payload!: object;

  @Property({ type: 'integer', default: 0 })
  rejections!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  nextAttemptAt!: Date;

  @Property({ type: 'timestamptz', nullable: true })
  sentAt!: Date | null;

  /** given up; somebody has to look at it */
  @Property({ type: 'timestamptz', nullable: true })
  deadAt!: Date | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

export interface OutboxMessage {
  readonly consumer: string;
  readonly topic: string;
  readonly key: string;
  readonly version: number;
  readonly payload: object;
}

/** Writes messages in the transaction of `em`. */
export async function enqueue(em: EntityManager, messages: OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return;
  const rows = messages.map((message) => ({ id: uuidv7(), ...message }));
  await sql(
    em,
    `insert into outbox (id, consumer, topic, key, version, payload)
     select id, consumer, topic, key, version, payload
     from jsonb_to_recordset($1::jsonb)
       as row (id uuid, consumer text, topic text, key text, version int, payload jsonb)`,
    [JSON.stringify(rows)],
  );
}

interface DueEntry {
  id: string;
  consumer: string;
  topic: string;
  key: string;
  version: number;
  payload: object;
}

export interface RelayOptions {
  /** a manager to fork from, one fork for each statement */
  readonly em: EntityManager;
  readonly databaseUrl: string;
  readonly consumers: Readonly<Record<string, ServiceClient>>;
  readonly logger: Logger;
  /** how often it looks though nothing woke it */
  readonly pollMs?: number;
}

const batchMax = 100;
const pollDefaultMs = 500;
const leaseMs = 15_000;
const deliveryTimeoutMs = 10_000;
const unreachableRetryMs = 1000;
const backoffMaxMs = 60_000;
const rejectionsMax = 20;
const keepSentHours = 24;
const pruneEveryMs = 10_000;
const pruneMax = 5000;

/**
 * Posts what stands in the outbox to its consumers until stopped. NOTIFY wakes it, a poll stands
 * behind that. A consumer that cannot be reached is asked again for ever; an entry that its consumer
 * refuses backs off and ends as a dead letter after `rejectionsMax` times.
 */
export function startRelay(options: RelayOptions): { stop(): Promise<void> } {
  let stopped = false;
  let wake = () => {};
  const listener = listenTo(options.databaseUrl, 'outbox', () => wake());
  const nap = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, options.pollMs ?? pollDefaultMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const run = async () => {
    while (!stopped) {
      try {
        if ((await relayOnce(options)) === batchMax) continue;
      } catch (error) {
        options.logger.error({ err: error }, 'the outbox could not be relayed');
      }
      if (!stopped) await nap();
    }
  };
  const running = run();
  const pruner = startWorker('clean up of the outbox', pruneEveryMs, options.logger, () =>
    prune(options.em.fork()),
  );
  return {
    async stop() {
      stopped = true;
      wake();
      await Promise.all([running, pruner.stop(), listener.stop()]);
    },
  };
}

/** Delivers one batch of what is due. @returns how many entries it took up */
export async function relayOnce(options: RelayOptions): Promise<number> {
  const due = await claimDue(options.em.fork());
  const byConsumer = Map.groupBy(due, (entry) => entry.consumer);
  await Promise.all(
    [...byConsumer].map(([consumer, entries]) => deliver(options, consumer, entries)),
  );
  return due.length;
}

/** Takes entries for `leaseMs`, so that no transaction is open while they are posted. */
function claimDue(em: EntityManager): Promise<DueEntry[]> {
  return sql<DueEntry>(
    em,
    `update outbox set next_attempt_at = now() + $2 * interval '1 ms', updated_at = now()
     where id in (
       select id from outbox
       where sent_at is null and dead_at is null and next_attempt_at <= now()
       order by next_attempt_at limit $1 for update skip locked
     )
     returning id, consumer, topic, key, version, payload`,
    [batchMax, leaseMs],
  );
}

async function deliver(options: RelayOptions, consumer: string, entries: DueEntry[]) {
  const client = options.consumers[consumer];
  const em = options.em.fork();
  try {
    if (!client) throw new Error(`no consumer is called ${consumer}`);
    const accepted = await postEvents(client, consumer, entries);
    const rejected = entries.filter(({ id }) => !accepted.includes(id)).map(({ id }) => id);
    await sql(
      em,
      'update outbox set sent_at = now(), updated_at = now() where id = any($1::uuid[])',
      [accepted],
    );
    if (rejected.length > 0) await backOff(options, em, rejected);
  } catch (error) {
    options.logger.warn({ err: error, consumer, entries: entries.length }, 'outbox not delivered');
    await sql(
      em,
      `update outbox set next_attempt_at = now() + $2 * interval '1 ms', updated_at = now()
       where id = any($1::uuid[])`,
      [entries.map(({ id }) => id), unreachableRetryMs],
    );
  }
}

/** @returns the ids of the events that the consumer has committed */
async function postEvents(client: ServiceClient, consumer: string, entries: DueEntry[]) {
  const mutation = `deliverTo${consumer[0]?.toUpperCase()}${consumer.slice(1)}`;
  const events = entries.map(({ id, topic, key, version, payload }) => {
    return { id, topic, key, version, payload: JSON.stringify(payload) };
  });
  const data = await client.call<Record<string, string[]>>(
    `mutation ($events: [OutboxEvent!]!) { ${mutation}(events: $events) }`,
    { events },
    { timeoutMs: deliveryTimeoutMs, repeatable: true },
  );
  return data[mutation] ?? [];
}

async function backOff(options: RelayOptions, em: EntityManager, ids: string[]) {
  const dead = await sql<{ id: string; dead: boolean }>(
    em,
    `update outbox set rejections = rejections + 1, updated_at = now(),
       next_attempt_at = now() + least(100 * 2 ^ least(rejections, 20), $2) * interval '1 ms',
       dead_at = case when rejections + 1 >= $3 then now() end
     where id = any($1::uuid[]) returning id, dead_at is not null as dead`,
    [ids, backoffMaxMs, rejectionsMax],
  );
  for (const { id } of dead.filter((entry) => entry.dead)) {
    options.logger.error(
      { outboxId: id },
      'an outbox entry is a dead letter: its consumer refuses it',
    );
  }
}

async function prune(em: EntityManager): Promise<void> {
  await sql(
    em,
    `delete from outbox where id in (
       select id from outbox where sent_at < now() - $1 * interval '1 hour'
       limit $2 for update skip locked)`,
    [keepSentHours, pruneMax],
  );
}
