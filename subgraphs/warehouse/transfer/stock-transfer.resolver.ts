import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { notFound } from '../../shared/errors.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { findPage, loadAllBy, loadBy } from '../../shared/graphql/load.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { ProductVariant } from '../references.js';
import type { StockContext } from '../stock/stock-store.js';
import { loadWarehouses, requireWarehouse } from '../warehouse/require-warehouse.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { cancelTransfer } from './cancel-transfer.js';
import {
  ReceiveTransferInput,
  ReceiveTransferResult,
  receiptOf,
  receiveTransfer,
} from './receive-transfer.js';
import {
  StockTransfer,
  StockTransferConnection,
  TransferLine,
  TransferStatus,
} from './stock-transfer.js';
import {
  dispatchTransfer,
  TransferStockInput,
  TransferStockResult,
  transferStock,
} from './transfer-stock.js';

const loadTransfers = loadBy(StockTransfer, 'id');
const loadLines = loadAllBy(TransferLine, 'transferId', { sku: 'asc' });

/** The transfer, if its shop is the user's or the user is an admin. @throws `FORBIDDEN` */
export async function findTransfer(context: WarehouseContext, id: string) {
  const transfer = await loaderOf(context, loadTransfers).load(id);
  if (transfer) await context.app.owners.requireOwn(context, transfer.shopId);
  return transfer;
}

/** As it is behind a mutation: not what this request may have read before. */
const readAgain = (context: WarehouseContext, id: string) =>
  context.em.fork().findOneOrFail(StockTransfer, id);

@Resolver(() => StockTransfer)
export class StockTransferResolver {
  @Allow('shop-owner')
  @Query(() => StockTransfer, { nullable: true, description: 'A transfer of a shop of one’s own.' })
  async transfer(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: StockContext,
  ) {
    const transfer = await findTransfer(context, id);
    if (!transfer) throw notFound('transfer', id);
    return transfer;
  }

  @Allow('shop-owner')
  @Query(() => StockTransferConnection, { description: 'The transfers of a shop, newest first.' })
  async transfers(
    @Arg('shopId', () => UUID, { description: 'A shop of one’s own.' }) shopId: string,
    @Ctx() context: StockContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('status', () => TransferStatus, { nullable: true, description: 'Only those.' })
    status?: TransferStatus,
  ) {
    await context.app.owners.requireOwn(context, shopId);
    const where = { shopId, ...(status && { status }) };
    return findPage(context.em, StockTransfer, where, { first, after, order: 'desc' });
  }

  @Allow('shop-owner')
  @Mutation(() => TransferStockResult, {
    description: 'Moves units between two warehouses of a shop: out and in at once.',
  })
  transferStock(
    @Arg('input', () => TransferStockInput) input: TransferStockInput,
    @Ctx() context: StockContext,
  ): Promise<typeof TransferStockResult> {
    return start(context, input, transferStock);
  }

  @Allow('shop-owner')
  @Mutation(() => TransferStockResult, {
    description: 'Sends units from one warehouse to another: out now, incoming until received.',
  })
  dispatchTransfer(
    @Arg('input', () => TransferStockInput) input: TransferStockInput,
    @Ctx() context: StockContext,
  ): Promise<typeof TransferStockResult> {
    return start(context, input, dispatchTransfer);
  }

  @Allow('shop-owner')
  @Mutation(() => ReceiveTransferResult, { description: 'Takes in what came of a transfer.' })
  async receiveTransfer(
    @Arg('input', () => ReceiveTransferInput) input: ReceiveTransferInput,
    @Ctx() context: StockContext,
  ): Promise<typeof ReceiveTransferResult> {
    const { id } = await this.transfer(input.transferId, context);
    const receipt = receiptOf(input, identityOf(context).id);
    return (await receiveTransfer(context.app, receipt)) ?? readAgain(context, id);
  }

  @Allow('shop-owner')
  @Mutation(() => ReceiveTransferResult, {
    description: 'Ends a transfer: what has not come goes back to where it came from.',
  })
  async cancelTransfer(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: StockContext,
  ): Promise<typeof ReceiveTransferResult> {
    await this.transfer(id, context);
    const actor = identityOf(context).id;
    return (await cancelTransfer(context.app, { transferId: id, actor })) ?? readAgain(context, id);
  }

  @Allow('shop-owner')
  @FieldResolver(() => Warehouse, { description: 'Where the units come from.' })
  from(@Root() { fromId }: StockTransfer, @Ctx() context: StockContext) {
    return loaderOf(context, loadWarehouses).load(fromId);
  }

  @Allow('shop-owner')
  @FieldResolver(() => Warehouse, { description: 'Where they go.' })
  to(@Root() { toId }: StockTransfer, @Ctx() context: StockContext) {
    return loaderOf(context, loadWarehouses).load(toId);
  }

  @Allow('shop-owner')
  @FieldResolver(() => [TransferLine], { description: 'What moves.' })
  lines(@Root() { id }: StockTransfer, @Ctx() context: StockContext) {
    return loaderOf(context, loadLines).load(id);
  }
}

@Resolver(() => TransferLine)
export class TransferLineResolver {
  @Allow('parent')
  @FieldResolver(() => ProductVariant, { nullable: true, description: 'What moves.' })
  variant(@Root() { sku }: TransferLine): ProductVariant {
    return { sku };
  }
}

async function start(
  context: StockContext,
  input: TransferStockInput,
  begin: typeof transferStock,
): Promise<typeof TransferStockResult> {
  const [from, to] = await Promise.all([
    requireWarehouse(context, input.from),
    requireWarehouse(context, input.to),
  ]);
  const actor = identityOf(context).id;
  const started = await begin(context.app, { from, to, lines: input.lines, actor });
  return typeof started === 'string' ? readAgain(context, started) : started;
}
