import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { notFound } from '../../shared/errors.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { findPage, loadAllInShards, loadBy } from '../../shared/graphql/load.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { KeyArg } from '../../shared/idempotency/key-field.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { ProductVariant } from '../references.js';
import { NotEnoughOnHand } from '../stock/not-enough-on-hand.js';
import type { StockContext } from '../stock/stock-store.js';
import { loadWarehouses, requireWarehouse } from '../warehouse/require-warehouse.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { cancelTransfer } from './cancel-transfer.js';
import {
  ReceiveTransferInput,
  ReceiveTransferResult,
  receiptOf,
  receiveTransfer,
  TransferNotOpen,
} from './receive-transfer.js';
import {
  StockTransfer,
  StockTransferConnection,
  TransferLine,
  TransferStatus,
} from './stock-transfer.js';
import {
  dispatchTransfer,
  linesMax,
  TransferStockInput,
  TransferStockResult,
  transferStock,
} from './transfer-stock.js';

const loadTransfers = loadBy(StockTransfer, 'id');
const loadLines = loadAllInShards(TransferLine, 'shopId', 'transferId', { sku: 'asc' });

/** @throws `FORBIDDEN` unless the shop is the user’s or the user is an admin */
export async function readOwnTransfer(context: WarehouseContext, id: string) {
  const transfer = await loaderOf(context, loadTransfers).load(id);
  if (transfer) await context.app.owners.requireOwn(context, transfer.shopId);
  return transfer;
}

@Resolver(() => StockTransfer)
export class StockTransferResolver {
  @Allow('shop-owner')
  @Query(() => StockTransfer, {
    nullable: true,
    description: 'A transfer of a shop of the signed-in vendor.',
  })
  async transfer(
    @Arg('id', () => UUID, { description: 'The id of the transfer.' }) id: string,
    @Ctx() context: StockContext,
  ) {
    const transfer = await readOwnTransfer(context, id);
    if (!transfer) throw notFound('transfer', id);
    return transfer;
  }

  @Allow('shop-owner')
  @Query(() => StockTransferConnection, {
    description: 'Transfers of a shop of the signed-in vendor, newest first.',
  })
  async transfers(
    @Arg('shopId', () => UUID, { description: 'The shop.' }) shopId: string,
    @Ctx() context: StockContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('status', () => TransferStatus, {
      nullable: true,
      description: 'Only transfers with this status.',
    })
    status?: TransferStatus,
  ) {
    await context.app.owners.requireOwn(context, shopId);
    const where = { shopId, ...(status && { status }) };
    return findPage(context.em, StockTransfer, where, { first, after, order: 'desc' });
  }

  @Allow('shop-owner')
  @Mutation(() => TransferStockResult, {
    description: 'Moves units between two warehouses of a shop immediately.',
  })
  transferStock(
    @Arg('input', () => TransferStockInput) input: TransferStockInput,
    @Ctx() context: StockContext,
  ): Promise<typeof TransferStockResult> {
    return start(context, input, 'transferStock');
  }

  @Allow('shop-owner')
  @Mutation(() => TransferStockResult, {
    description:
      'Sends units to another warehouse of the shop, where they are incoming until received.',
  })
  dispatchTransfer(
    @Arg('input', () => TransferStockInput) input: TransferStockInput,
    @Ctx() context: StockContext,
  ): Promise<typeof TransferStockResult> {
    return start(context, input, 'dispatchTransfer');
  }

  @Allow('shop-owner')
  @Mutation(() => ReceiveTransferResult, { description: 'Receives units of a transfer.' })
  async receiveTransfer(
    @Arg('input', () => ReceiveTransferInput) input: ReceiveTransferInput,
    @Ctx() context: StockContext,
  ): Promise<typeof ReceiveTransferResult> {
    const results = [StockTransfer, TransferNotOpen];
    return runOnce(context, { operation: 'receiveTransfer', input, results }, async (once) => {
      const { shopId } = await this.transfer(input.transferId, context);
      const receipt = receiptOf(shopId, input, identityOf(context).id);
      return receiveTransfer(context.app, receipt, once);
    });
  }

  @Allow('shop-owner')
  @Mutation(() => ReceiveTransferResult, {
    description:
      'Cancels a transfer. Units in transit return to their source; received units stay.',
  })
  async cancelTransfer(
    @Arg('id', () => UUID, { description: 'The id of the transfer.' }) id: string,
    @Ctx() context: StockContext,
    @KeyArg() idempotencyKey?: string,
  ): Promise<typeof ReceiveTransferResult> {
    const input = { id, idempotencyKey };
    const results = [StockTransfer, TransferNotOpen];
    return runOnce(context, { operation: 'cancelTransfer', input, results }, async (once) => {
      const { shopId } = await this.transfer(id, context);
      const actor = identityOf(context).id;
      return cancelTransfer(context.app, { shopId, transferId: id, actor }, once);
    });
  }

  @Allow('shop-owner')
  @FieldResolver(() => Warehouse, { description: 'The warehouse that the units leave.' })
  from(@Root() { fromId }: StockTransfer, @Ctx() context: StockContext) {
    return loaderOf(context, loadWarehouses).load(fromId);
  }

  @Allow('shop-owner')
  @FieldResolver(() => Warehouse, { description: 'The warehouse that the units go to.' })
  to(@Root() { toId }: StockTransfer, @Ctx() context: StockContext) {
    return loaderOf(context, loadWarehouses).load(toId);
  }

  @Allow('shop-owner')
  @ListMax(linesMax)
  @FieldResolver(() => [TransferLine], { description: 'The units, one line per variant.' })
  lines(@Root() transfer: StockTransfer, @Ctx() context: StockContext) {
    return loaderOf(context, loadLines).load(transfer);
  }
}

@Resolver(() => TransferLine)
export class TransferLineResolver {
  @Allow('parent')
  @FieldResolver(() => ProductVariant, { nullable: true, description: 'The variant.' })
  variant(@Root() { sku }: TransferLine): ProductVariant {
    return { sku };
  }
}

const starts = { transferStock, dispatchTransfer };

function start(
  context: StockContext,
  input: TransferStockInput,
  operation: keyof typeof starts,
): Promise<typeof TransferStockResult> {
  const results = [StockTransfer, NotEnoughOnHand];
  return runOnce(context, { operation, input, results }, async (once) => {
    const [from, to] = await Promise.all([
      requireWarehouse(context, input.from),
      requireWarehouse(context, input.to),
    ]);
    const transfer = { from, to, lines: input.lines, actor: identityOf(context).id };
    return starts[operation](context.app, transfer, once);
  });
}
