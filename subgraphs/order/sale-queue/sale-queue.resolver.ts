import { Arg, Ctx, Field, Int, ObjectType, Query, Resolver } from 'type-graphql';
import { Coalescer } from '../../shared/batching/coalescer.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShownQueue } from './admission/read-queues.js';
import { type FindQueueApp, findQueue } from './find-queue.js';
import { listClosesAt } from './queue-times.js';

export const SaleQueueState = enumOf<ShownQueue['state']>(
  'SaleQueueState',
  'Progress of the queue of a sale.',
  {
    OPEN: 'Early tickets are taken; their order will be drawn.',
    CLOSED: 'The list of early tickets is closed, and not drawn yet.',
    DRAWN: 'All tickets have numbers. The sale has not started.',
    ADMITTING: 'Customers are admitted in the order of their numbers.',
    ENDED: 'All units are sold, or the sale is over: nobody is admitted any more.',
  },
);

@Allow('parent')
@ObjectType('SaleQueue', { description: 'The queue of a sale, the same for everybody.' })
export class SaleQueueStatus {
  @Field(() => UUID, { description: 'Id of the sale.' })
  saleId!: string;

  @Field(() => SaleQueueState, { description: 'Current state.' })
  state!: ShownQueue['state'];

  @Field(() => Int, {
    description:
      'Number of the ticket that was admitted last. The position of a ticket is its number less this one.',
  })
  servingNumber!: number;

  @Field(() => Int, {
    description: 'Tickets that wait. Those that were left count until their turn.',
  })
  waiting!: number;

  @Field(() => Int, { description: 'Customers who were admitted within the last minute.' })
  admittedPerMinute!: number;

  @Field(() => Date, { description: 'When the list of early tickets is closed.' })
  listClosesAt!: Date;

  @Field(() => Date, { description: 'When the sale starts.' })
  startsAt!: Date;

  @Field(() => Date, { description: 'Time of these values, for countdowns.' })
  serverTime!: Date;
}

/** Reads a queue; those that many request at the same time are read by one statement. */
export type ReadQueue = (saleId: string) => Promise<ShownQueue | null>;
export interface ShownQueueApp {
  readonly readQueue: ReadQueue;
}

const timeoutMs = 4000;

export function createQueueReader(
  read: (saleIds: readonly string[]) => Promise<ReadonlyMap<string, ShownQueue>>,
): ReadQueue {
  const reads = new Coalescer<string, ShownQueue | null>(
    async (saleIds) => {
      const found = await read(saleIds);
      return saleIds.map((id) => found.get(id) ?? null);
    },
    // One counts the tickets of an open list.
    { inFlightMax: 1 },
  );
  return (saleId) => reads.submit(saleId, timeoutMs);
}

@Resolver()
export class SaleQueueResolver {
  @Allow('anyone')
  @Query(() => SaleQueueStatus, {
    nullable: true,
    description:
      'The queue of a sale, as `saleChanged` shows it; null for a sale without one. Query it once a second at most.',
  })
  async saleQueue(
    @Arg('saleId', () => UUID, { description: 'Id of the sale.' }) saleId: string,
    @Ctx() { app, em }: SubgraphContext<ShownQueueApp & FindQueueApp>,
  ): Promise<SaleQueueStatus | null> {
    let queue = await app.readQueue(saleId);
    if (!queue && (await findQueue(app, em, saleId))) queue = await app.readQueue(saleId);
    if (!queue) return null;
    const startsAt = new Date(queue.startsAt);
    return {
      ...queue,
      startsAt,
      listClosesAt: listClosesAt({ startsAt }),
      serverTime: new Date(queue.serverTime),
    };
  }
}
