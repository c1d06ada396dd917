import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Arg, Ctx, Directive, Field, InputType, Int, Mutation, Resolver } from 'type-graphql';
import {
  type DeliveredEvent,
  deliveryFieldOf,
  isTopic,
  type PayloadOf,
  producerOf,
  readPayload,
  type Topic,
} from '../../contracts/events.js';
import type { Principal } from '../auth/callers.js';
import type { Caller } from '../config.js';
import { isDatabaseAway } from '../database/errors.js';
import type { Retention } from '../database/prune.js';
import { sqlCount } from '../database/sql.js';
import { UUID } from '../graphql/scalars.js';
import type { Logger } from '../observability/logger.js';
import { failPoint } from '../resilience/fail-point.js';
import { Allow } from '../rights/rights.js';

/** An event that was taken in; its row and its effect are one commit, so it takes effect once. */
@Entity({ tableName: 'inbox' })
export class InboxEntry {
  /** the id that the producer's outbox gave it */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'text' })
  producer!: string;

  @Property({ type: 'text' })
  topic!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', index: 'inbox_created_at' })
  createdAt!: Opt<Date>;
}

// A producer does not send an event for longer than this.
const keepDays = 30;

export const inboxRetention: Retention = {
  table: 'inbox',
  outdated: `created_at < now() - interval '${keepDays} days'`,
};

@Directive('@inaccessible')
@InputType({ description: 'An entry of another subgraph’s outbox.' })
export class OutboxEvent implements DeliveredEvent {
  @Field(() => UUID, { description: 'The id of the outbox entry.' })
  id!: string;

  @Field(() => String, { description: 'What kind of event this is.' })
  topic!: string;

  @Field(() => String, { description: 'What the event is about.' })
  key!: string;

  @Field(() => Int, { description: 'Rises with each change of what `key` names.' })
  version!: number;

  @Field(() => String, { description: 'The state that the event tells of, as JSON.' })
  payload!: string;
}

/**
 * Applies one event in the transaction of `em`. What it throws makes the producer send the event again
 * later.
 *
 * @returns what to do after COMMIT, if anything
 */
export type EventHandler<T extends Topic, C> = (
  em: EntityManager,
  event: OutboxEvent,
  payload: PayloadOf<T>,
  context: C,
  // biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to do afterwards
) => Promise<(() => void) | void>;
export type EventHandlers<C> = { readonly [T in Topic]?: EventHandler<T, C> };

export interface InboxContext extends Principal {
  readonly em: EntityManager;
  readonly logger: Logger;
}

// Shorter than a relay waits: many events that wait for locks, one after the other, must not hide the rest.
const deliverMaxMs = 5000;

/** Declares the mutation by which other subgraphs' relays hand over their events. */
export function createInboxResolver<C extends InboxContext>(
  consumer: string,
  handlers: EventHandlers<C>,
) {
  const topics = Object.keys(handlers) as Topic[];
  const producers = new Set(topics.map((topic) => `caller:${producerOf(topic)}` as const));
  @Resolver()
  class InboxResolver {
    @Directive('@inaccessible')
    @Allow(...producers)
    @Mutation(() => [UUID], {
      name: deliveryFieldOf(consumer),
      description: 'Takes events in and gives the ids of those that are committed now.',
    })
    async deliver(
      @Arg('events', () => [OutboxEvent]) events: OutboxEvent[],
      @Ctx() context: C,
    ): Promise<string[]> {
      const accepted: string[] = [];
      const latestMs = performance.now() + deliverMaxMs;
      for (const event of events) {
        if (performance.now() > latestMs) break; // the rest is sent again
        if (await takeIn(context, event, handlers)) accepted.push(event.id);
      }
      return accepted;
    }
  }
  return InboxResolver;
}

async function takeIn<C extends InboxContext>(
  context: C,
  event: OutboxEvent,
  handlers: EventHandlers<C>,
) {
  const { em, caller, logger } = context;
  try {
    const apply = handlerOf(event, caller, handlers);
    const afterwards = await em.fork().transactional(async (tx) => {
      const isNew = await sqlCount(
        tx,
        'insert into inbox (id, producer, topic) values ($1, $2, $3) on conflict do nothing',
        [event.id, caller, event.topic],
      );
      return isNew > 0 ? apply(tx, context) : undefined;
    });
    failPoint('event taken in, answer lost');
    afterwards?.();
    return true;
  } catch (error) {
    // That our database is away says nothing of the event: its producer is to keep it.
    if (isDatabaseAway(error)) throw error;
    logger.error({ err: error, topic: event.topic, key: event.key }, 'an event was refused');
    return false;
  }
}

/** @throws Error for a topic that is unknown or of another producer, and for a malformed payload */
function handlerOf<C>(event: OutboxEvent, caller: Caller, handlers: EventHandlers<C>) {
  const { topic } = event;
  const handle = isTopic(topic) && producerOf(topic) === caller ? handlers[topic] : undefined;
  if (!handle) throw new Error(`no handler for ${topic} from ${caller}`);
  const payload = readPayload(topic as Topic, event.payload);
  return (tx: EntityManager, context: C) => handle(tx, event, payload as never, context);
}
