import {
  Arg,
  Args,
  Ctx,
  FieldResolver,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { findPage } from '../../shared/graphql/load.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { LiveContext } from '../live/live-context.js';
import { openAlerts } from '../live/open-alerts.js';
import { NotEnoughOnHand } from '../stock/not-enough-on-hand.js';
import { StockLevel } from '../stock/stock-level.js';
import type { StockContext } from '../stock/stock-store.js';
import { loadWarehouses } from '../warehouse/require-warehouse.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { loadUnshippedOrders, unshippedOrdersPage } from './list-unshipped-orders.js';
import {
  NothingToReassign,
  ReassignedShopOrder,
  ReassignShopOrderInput,
  ReassignShopOrderResult,
  reassignShopOrder,
  requireReassignment,
} from './reassign-shop-order.js';
import {
  StockShortfall,
  StockShortfallConnection,
  toShortfall,
  UnshippedOrderConnection,
} from './stock-shortfall.js';

@Resolver(() => StockShortfall)
export class ShortfallResolver {
  @Allow('shop-owner')
  @Query(() => StockShortfallConnection, {
    description: 'Levels of a shop with more units promised than there are.',
  })
  async stockShortfalls(
    @Arg('shopId', () => UUID, { description: 'The shop.' }) shopId: string,
    @Ctx() context: StockContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ) {
    await context.app.owners.requireOwn(context, shopId);
    const where = { shopId, shortfall: { $gt: 0 } };
    const page = await findPage(context.em, StockLevel, where, { first, after, order: 'asc' });
    const edges = page.edges.map(({ cursor, node }) => ({ cursor, node: toShortfall(node) }));
    return { ...page, edges };
  }

  @Allow('shop-owner')
  @Subscription(() => StockShortfall, {
    description: 'Levels of a shop of the signed-in vendor, each time their shortfall rises.',
    subscribe: ({ args, context }) =>
      openAlerts('shortfallAlerts', args.shopId, context as LiveContext),
  })
  async stockShortfallAlert(
    @Root() levelId: string,
    @Ctx() { em }: LiveContext,
    @Arg('shopId', () => UUID, { description: 'The shop.' }) shopId: string,
  ): Promise<StockShortfall> {
    // All events of a subscription share one entity manager, which would return what it read first.
    return toShortfall(await em.fork().findOneOrFail(StockLevel, { shopId, id: levelId }));
  }

  @Allow('shop-owner')
  @Mutation(() => ReassignShopOrderResult, {
    description:
      'Moves the units of a paid shop order that is not shipped to another warehouse of the shop.',
  })
  async reassignShopOrder(
    @Arg('input', () => ReassignShopOrderInput) input: ReassignShopOrderInput,
    @Ctx() context: StockContext,
  ): Promise<typeof ReassignShopOrderResult> {
    const results = [ReassignedShopOrder, NotEnoughOnHand, NothingToReassign];
    return runOnce(context, { operation: 'reassignShopOrder', input, results }, async (once) => {
      const found = await requireReassignment(context, input);
      if (found instanceof NothingToReassign) return found;
      return reassignShopOrder(context.app, { ...found, actor: identityOf(context).id }, once);
    });
  }

  @Allow('shop-owner')
  @FieldResolver(() => UnshippedOrderConnection, {
    description:
      'Orders that have units of the level and are not shipped: paid ones first, each the oldest first.',
  })
  orders(
    @Root() { level }: StockShortfall,
    @Ctx() context: StockContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    return loaderOf(context, loadUnshippedOrders).load(unshippedOrdersPage(level, page));
  }
}

@Resolver(() => ReassignedShopOrder)
export class ReassignedShopOrderResolver {
  @Allow('parent')
  @FieldResolver(() => Warehouse, { description: 'The warehouse that it is shipped from.' })
  warehouse(@Root() { warehouseId }: ReassignedShopOrder, @Ctx() context: StockContext) {
    return loaderOf(context, loadWarehouses).load(warehouseId);
  }
}
