import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { StockContext } from '../stock/stock-store.js';
import { requireWarehouse } from '../warehouse/require-warehouse.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { DeactivateWarehouseResult, setWarehouseActive } from './set-warehouse-active.js';

@Resolver()
export class ActivationResolver {
  @Allow('shop-owner')
  @Mutation(() => Warehouse, {
    description: 'Activates a warehouse, so that its stock can be sold.',
  })
  async activateWarehouse(
    @Arg('id', () => UUID, { description: 'The id of the warehouse.' }) id: string,
    @Ctx() context: StockContext,
  ) {
    const { shopId } = await requireWarehouse(context, id);
    await setWarehouseActive(context.app, { shopId, id }, true, identityOf(context).id);
    return context.em.fork().findOneOrFail(Warehouse, { shopId, id });
  }

  @Allow('shop-owner')
  @Mutation(() => DeactivateWarehouseResult, {
    description:
      'Deactivates a warehouse, so that its stock cannot be sold. Reserved units stay reserved.',
  })
  async deactivateWarehouse(
    @Arg('id', () => UUID, { description: 'The id of the warehouse.' }) id: string,
    @Ctx() context: StockContext,
  ): Promise<DeactivateWarehouseResult> {
    const { shopId } = await requireWarehouse(context, id);
    const actor = identityOf(context).id;
    const { units, reserved } = await setWarehouseActive(context.app, { shopId, id }, false, actor);
    const warehouse = await context.em.fork().findOneOrFail(Warehouse, { shopId, id });
    return { warehouse, unitsWithdrawn: units, unitsReserved: reserved };
  }
}
