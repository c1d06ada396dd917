import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import {
  Arg,
  Ctx,
  Directive,
  Field,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Resolver,
} from 'type-graphql';
import {
  type DeliveredEvent,
  type DeliveryOutcome,
  deliveryFieldOf,
  producerOf,
  type Topic,
} from '../../contracts/events.js';
import { Retained } from '../database/retention.js';
import { ListMax } from '../graphql/list-max.js';
import { UUID } from '../graphql/scalars.js';
import { Allow } from '../rights/rights.js';
import { applyEvents, type EventHandlers, type InboxContext } from './apply-events.js';

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

/** Events that one delivery has at most. */
export const deliveryMax = 100;

@Directive('@inaccessible')
@Directive('@shareable')
@Allow('parent')
@ObjectType({
  description:
    'What became of delivered events. Those in neither list were not tried and may be sent again.',
})
export class DeliveryOutput implements DeliveryOutcome {
  @ListMax(deliveryMax)
  @Field(() => [UUID], { description: 'Ids of the events that are committed.' })
  accepted!: string[];

  @ListMax(deliveryMax)
  @Field(() => [UUID], { description: 'Ids of the events that were refused.' })
  refused!: string[];
}

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
    @Mutation(() => DeliveryOutput, {
      name: deliveryFieldOf(consumer),
      description: 'Applies events and returns what became of them.',
    })
    async deliver(
      @Arg('events', () => [OutboxEvent]) events: OutboxEvent[],
      @Ctx() context: C,
    ): Promise<DeliveryOutcome> {
      return applyEvents(context, events, handlers);
    }
  }
  return InboxResolver;
}
