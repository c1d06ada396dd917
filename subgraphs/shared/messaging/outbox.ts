import type { Opt, RequiredEntityData } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { EventMessage } from '../../contracts/events.js';
import { insertRows } from '../database/insert-rows.js';
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
    'create index outbox_due on outbox (next_attempt_at) where sent_at is null and dead_at is null',
})
@Index({
  name: 'outbox_sent',
  expression: 'create index outbox_sent on outbox (sent_at) where sent_at is not null',
})
@Index({
  name: 'outbox_dead',
  expression: 'create index outbox_dead on outbox (dead_at) where dead_at is not null',
})
@Trigger({
  name: 'notify',
  timing: 'after',
  events: ['insert'],
  forEach: 'statement',
  body: `perform pg_notify('outbox', ''); return null`,
})
export class OutboxEntry {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** the subgraph that receives the event */
  @Property({ type: 'text' })
  consumer!: string;

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

  @Property({ type: 'timestamptz', nullable: true })
  sentAt!: Date | null;

  /** when it became a dead letter, which needs attention */
  @Property({ type: 'timestamptz', nullable: true })
  deadAt!: Date | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

/** Writes events in the transaction of `em`. */
export function enqueue(em: EntityManager, messages: readonly EventMessage[]): Promise<void> {
  const rows = messages.map((message) => ({ id: newId(), ...message }));
  return insertRows(em, OutboxEntry, rows as RequiredEntityData<OutboxEntry>[]);
}
