import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { PageArgs } from '../../../shared/graphql/connection.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { Allow } from '../../../shared/rights/rights.js';
import { findQueue } from '../find-queue.js';
import type { QueueContext } from '../queue-app.js';
import { drawnPage } from './drawn-tickets.js';
import { DrawnTicketConnection, publicDraw, SaleDraw } from './sale-draw.js';

@Resolver(() => SaleDraw)
export class SaleDrawResolver {
  @Allow('anyone')
  @Query(() => SaleDraw, {
    nullable: true,
    description:
      'What is needed to recompute the draw of the queue of a sale, as far as it is known by now; null for a sale without a queue. As a file: `/sales/ID/draw.json`.',
  })
  async saleDraw(
    @Arg('saleId', () => UUID, { description: 'Id of the sale.' }) saleId: string,
    @Ctx() { app, em }: QueueContext,
  ): Promise<SaleDraw | null> {
    const queue = await findQueue(app, em, saleId);
    return queue && publicDraw(queue, app.receipts.keys);
  }

  @Allow('parent')
  @FieldResolver(() => DrawnTicketConnection, {
    description: 'The tickets of the list in the order of their numbers; none before the draw.',
  })
  tickets(
    @Root() { saleId }: SaleDraw,
    @Ctx() { em }: QueueContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    return drawnPage(em, saleId, page);
  }
}
