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
import { isDatabaseUnavailable } from '../database/errors.js';
import { Retained } from '../database/retention.js';
import { sqlCount } from '../database/sql.js';
import { transact } from '../database/transact.js';
import { OutcomeUnknown } from '../errors.js';
import { ListMax } from '../graphql/list-max.js';
import { UUID } from '../graphql/scalars.js';
import type { Logger } from '../observability/logger.js';
import { failPoint } from '../resilience/fail-point.js';
import { Allow } from '../rights/rights.js';

/**
 * A processed event; its row and its effect are one commit, so it is applied once. A producer does not send an
 * event for longer than it is kept.
 */
@Retained({ keptFor: '30 days', since: 'created_at', index: 'inbox_created_at' })
@Entity({ tableName: 'inbox' })
export class InboxEntry {
  /** the id in the producer's outbox */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'text' })
  producer!: string;

  @Property({ type: 'text' })
  topic!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', index: 'inbox_created_at' })
  createdAt!: Opt<Date>;
}

@Directive('@inaccessible')
@InputType({ description: 'Entry of another subgraph’s outbox.' })
export class OutboxEvent implements DeliveredEvent {
  @Field(() => UUID, { description: 'Id of the outbox entry.' })
  id!: string;

  @Field(() => String, { description: 'Topic of the event.' })
  topic!: string;

  @Field(() => String, { description: 'Key of the changed entity.' })
  key!: string;

  @Field(() => Int, { description: 'Version of the changed entity; rises with each change.' })
  version!: number;

  @Field(() => String, { description: 'Payload, as JSON.' })
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
  // biome-ignore lint/suspicious/noConfusingVoidType: most return nothing
) => Promise<(() => void) | void>;
export type EventHandlers<C> = { readonly [T in Topic]?: EventHandler<T, C> };

export interface InboxContext extends Principal {
  readonly em: EntityManager;
  readonly logger: Logger;
}

// Shorter than the relay's timeout: if many events wait for locks in turn, those already applied are reported.
const deliverMaxMs = 5000;
/** Events that one delivery has at most. */
export const deliveryMax = 100;

/** Declares the mutation to which the relays of other subgraphs deliver events. */
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
    @ListMax(deliveryMax)
    @Mutation(() => [UUID], {
      name: deliveryFieldOf(consumer),
      description: 'Applies events and returns the ids of those that are committed.',
    })
    async deliver(
      @Arg('events', () => [OutboxEvent]) events: OutboxEvent[],
      @Ctx() context: C,
    ): Promise<string[]> {
      const accepted: string[] = [];
      const latestMs = performance.now() + deliverMaxMs;
      for (const event of events) {
        if (performance.now() > latestMs) break; // the rest will be sent again
        if (await handleEvent(context, event, handlers)) accepted.push(event.id);
      }
      return accepted;
    }
  }
  return InboxResolver;
}

async function handleEvent<C extends InboxContext>(
  context: C,
  event: OutboxEvent,
  handlers: EventHandlers<C>,
) {
  const { em, caller, logger } = context;
  try {
    const apply = handlerOf(event, caller, handlers);
    const afterwards = await transact(em, async (tx) => {
      const isNew = await sqlCount(
        tx,
        'insert into inbox (id, producer, topic) values ($1, $2, $3) on conflict do nothing',
        [event.id, caller, event.topic],
      );
      return isNew > 0 ? apply(tx, context) : undefined;
    });
    failPoint('event applied, response lost');
    afterwards?.();
    return true;
  } catch (error) {
    // An unavailable database is not the event's fault: the producer keeps it and retries.
    if (isDatabaseUnavailable(error) || error instanceof OutcomeUnknown) throw error;
    logger.error({ err: error, topic: event.topic, key: event.key }, 'event refused');
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
