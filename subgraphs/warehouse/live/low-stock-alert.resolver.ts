import { Arg, Ctx, Resolver, Root, Subscription } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { StockLevel } from '../stock/stock-level.js';
import type { LiveContext } from './live-context.js';
import { openAlerts } from './open-alerts.js';

@Resolver()
export class LowStockAlertResolver {
  @Allow('shop-owner')
  @Subscription(() => StockLevel, {
    description: 'Stock levels of a shop of the signed-in vendor, each when it becomes low.',
    subscribe: ({ args, context }) =>
      openAlerts('lowStockAlerts', args.shopId, context as LiveContext),
  })
  lowStockAlert(
    @Root() levelId: string,
    @Ctx() { em }: LiveContext,
    @Arg('shopId', () => UUID, { description: 'The shop.' }) shopId: string,
  ) {
    // All events of a subscription share one entity manager, which would return what it read first.
    return em.fork().findOneOrFail(StockLevel, { shopId, id: levelId });
  }
}
