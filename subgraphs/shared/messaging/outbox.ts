import type { Opt, RequiredEntityData } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type Delivery, deliveries, type EventMessage } from '../../contracts/events.js';
import { createCommitSignal } from '../database/commit-signal.js';
import { insertRows } from '../database/insert-rows.js';
import { isOneOf } from '../database/is-one-of.js';
import { Retained } from '../database/retention.js';
import { newId } from '../ids.js';

/**
 * An event for another subgraph, written in the same commit as the change. Dead letters are kept: somebody has to
 * look at each.
 */
@Retained({ keptFor: '24 hours', since: 'sent_at', index: 'outbox_sent' })
@Entity({ tableName: 'outbox' })
@Index({
  name: 'outbox_due',
  expression:
    'create index outbox_due on outbox (consumer, delivery, next_attempt_at, position) where sent_at is null and dead_at is null',
})
@Index({
  name: 'outbox_key',
  expression:
    'create index outbox_key on outbox (consumer, delivery, key, position) where sent_at is null',
})
@Index({
  name: 'outbox_sent',
  expression: 'create index outbox_sent on outbox (sent_at) where sent_at is not null',
})
@Index({
  name: 'outbox_dead',
  expression:
    'create index outbox_dead on outbox (consumer, delivery, key, position) where sent_at is null and dead_at is not null',
})
@Check({ name: 'outbox_delivery', expression: isOneOf('delivery', deliveries) })
export class OutboxEntry {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** rises with each row, in the order of the commits for the rows of one key */
  @Property({ type: 'bigint', generated: 'identity', autoincrement: true })
  position!: Opt<string>;

  /** the subgraph that receives the event */
  @Property({ type: 'text' })
  consumer!: string;

  @Property({ type: 'text', default: 'each' })
  delivery!: Delivery;

  @Property({ type: 'text' })
  topic!: string;

  /** the changed entity: the id of an order, a sku, … */
  @Property({ type: 'text' })
  key!: string;

  /** rises with each change of that entity; consumers ignore older ones */
  @Property({ type: 'integer' })
  version!: number;

  @Property({ type: 'jsonb' })
  payload!: object;

  @Property({ type: 'integer', default: 0 })
  rejections!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  nextAttemptAt!: Date;

  /** when its consumer had committed it, or a newer one of its key replaced it, or somebody discarded it */
  @Property({ type: 'timestamptz', nullable: true })
  sentAt!: Date | null;

  /** when it became a dead letter, which needs attention until `sentAt` is set */
  @Property({ type: 'timestamptz', nullable: true })
  deadAt!: Date | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

/** The consumers of the events of each commit. */
const enqueued = createCommitSignal();

/** Calls `listener` with their consumers after each commit of events by this process. */
export const onEnqueued = enqueued.listen;

/** Wakes the relay of this process for events that were committed on a connection without an entity manager. */
export const wakeRelay = (em: EntityManager, consumer: string): void =>
  enqueued.mark(em, [consumer]);

/** Writes events in the transaction of `em`, after whose commit the relay of this process is woken. */
export async function enqueue(em: EntityManager, messages: readonly EventMessage[]): Promise<void> {
  const rows = messages.map((message) => ({ id: newId(), ...message }));
  await insertRows(em, OutboxEntry, rows as RequiredEntityData<OutboxEntry>[]);
  enqueued.mark(em, [...new Set(messages.map(({ consumer }) => consumer))]);
}
