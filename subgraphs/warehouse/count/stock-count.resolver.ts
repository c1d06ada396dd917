import { Arg, Args, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { notFound } from '../../shared/errors.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { loadAllInShards, loadBy } from '../../shared/graphql/load.js';
import { loadPagesBy, pageInShard } from '../../shared/graphql/load-pages.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { KeyArg } from '../../shared/idempotency/key-field.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { ProductVariant } from '../references.js';
import type { StockContext } from '../stock/stock-store.js';
import { loadWarehouses, requireWarehouse } from '../warehouse/require-warehouse.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { CancelStockCountResult, cancelStockCount } from './cancel-stock-count.js';
import { StockCountNotOpen } from './lock-open-count.js';
import { countLinesMax, OpenStockCountInput, openStockCount } from './open-stock-count.js';
import {
  StockCount,
  StockCountConnection,
  StockCountLine,
  StockCountStatus,
} from './stock-count.js';
import {
  StaleCount,
  SubmitStockCountInput,
  SubmitStockCountResult,
  submitStockCount,
} from './submit-stock-count.js';

const loadCounts = loadBy(StockCount, 'id');
const loadCountsOfWarehouses = loadPagesBy(StockCount, 'warehouseId', 'desc', { shard: 'shopId' });
const loadLines = loadAllInShards(StockCountLine, 'shopId', 'countId', { sku: 'asc' });

/** @throws `NOT_FOUND`; `FORBIDDEN` unless the shop is the user’s or the user is an admin */
async function requireStockCount(context: WarehouseContext, id: string) {
  const count = await context.em.fork().findOne(StockCount, { id });
  if (!count) throw notFound('stock count', id);
  return { count, warehouse: await requireWarehouse(context, count.warehouseId) };
}

@Resolver(() => StockCount)
export class StockCountResolver {
  @Allow('shop-owner')
  @Query(() => StockCount, {
    nullable: true,
    description: 'A stock count in a warehouse of the signed-in vendor.',
  })
  async stockCount(
    @Arg('id', () => UUID, { description: 'The id of the count.' }) id: string,
    @Ctx() context: WarehouseContext,
  ) {
    return (await requireStockCount(context, id)).count;
  }

  @Allow('shop-owner')
  @Mutation(() => StockCount, {
    description: 'Opens a stock count of variants in one warehouse. Sales go on meanwhile.',
  })
  async openStockCount(
    @Arg('input', () => OpenStockCountInput) input: OpenStockCountInput,
    @Ctx() context: WarehouseContext,
  ) {
    const mutation = { operation: 'openStockCount', input, results: [StockCount] };
    return runOnce(context, mutation, (once) => openStockCount(context, input, once));
  }

  @Allow('shop-owner')
  @Mutation(() => SubmitStockCountResult, {
    description:
      'Sets levels to the counted units, all or none. What moved since the count is not undone.',
  })
  async submitStockCount(
    @Arg('input', () => SubmitStockCountInput) input: SubmitStockCountInput,
    @Ctx() context: StockContext,
  ): Promise<typeof SubmitStockCountResult> {
    const results = [StockCount, StaleCount, StockCountNotOpen];
    return runOnce(context, { operation: 'submitStockCount', input, results }, async (once) => {
      const { countId, lines } = input;
      const { warehouse } = await requireStockCount(context, countId);
      const submission = { countId, warehouse, lines, actor: identityOf(context).id };
      return submitStockCount(context.app, submission, once);
    });
  }

  @Allow('shop-owner')
  @Mutation(() => CancelStockCountResult, { description: 'Cancels an open stock count.' })
  async cancelStockCount(
    @Arg('id', () => UUID, { description: 'The id of the count.' }) id: string,
    @Ctx() context: WarehouseContext,
    @KeyArg() idempotencyKey?: string,
  ): Promise<typeof CancelStockCountResult> {
    const input = { id, idempotencyKey };
    const results = [StockCount, StockCountNotOpen];
    return runOnce(context, { operation: 'cancelStockCount', input, results }, async (once) => {
      const { count } = await requireStockCount(context, id);
      return cancelStockCount(context, count, once);
    });
  }

  @Allow('shop-owner')
  @FieldResolver(() => Warehouse, { description: 'The warehouse.' })
  warehouse(@Root() count: StockCount, @Ctx() context: WarehouseContext) {
    return loaderOf(context, loadWarehouses).load(count.warehouseId);
  }

  @Allow('shop-owner')
  @ListMax(countLinesMax)
  @FieldResolver(() => [StockCountLine], { description: 'The variants, by SKU.' })
  lines(@Root() count: StockCount, @Ctx() context: WarehouseContext) {
    return loaderOf(context, loadLines).load(count);
  }
}

@Resolver(() => Warehouse)
export class WarehouseCountsResolver {
  @Allow('shop-owner')
  @FieldResolver(() => StockCountConnection, {
    description: 'Stock counts of the warehouse, newest first.',
  })
  async stockCounts(
    @Root() warehouse: Warehouse,
    @Ctx() context: WarehouseContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('status', () => StockCountStatus, {
      nullable: true,
      description: 'Only counts with this status.',
    })
    status?: StockCountStatus | null,
  ) {
    await context.app.owners.requireOwn(context, warehouse.shopId);
    return loaderOf(context, loadCountsOfWarehouses).load(
      pageInShard(warehouse.shopId, warehouse.id, page, status ? { status } : {}),
    );
  }
}

@Resolver(() => StockCountLine)
export class StockCountLineResolver {
  @Allow('parent')
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'Units on hand by the history of the level when they were counted. Before the submission, when the count was opened; null then unless `showExpected`.',
  })
  async expected(@Root() line: StockCountLine, @Ctx() context: WarehouseContext) {
    if (line.counted !== null) return line.expected;
    const count = await loaderOf(context, loadCounts).load(line.countId);
    return count?.showExpected ? line.expected : null;
  }

  @Allow('parent')
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Units counted minus units expected; null until the submission.',
  })
  variance(@Root() { counted, expected }: StockCountLine): number | null {
    return counted === null ? null : counted - expected;
  }

  @Allow('parent')
  @FieldResolver(() => ProductVariant, { nullable: true, description: 'The variant.' })
  variant(@Root() { sku }: StockCountLine): ProductVariant {
    return { sku };
  }
}
