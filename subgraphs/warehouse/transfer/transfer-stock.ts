import { ArrayMaxSize, ArrayMinSize, Length, Max, Min, ValidateNested } from 'class-validator';
import { createUnionType, Field, InputType, Int } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { newId } from '../../shared/ids.js';
import type { Ledger } from '../stock/ledger.js';
import { moveStock } from '../stock/move-stock.js';
import { NotEnoughOnHand, notEnoughOnHand } from '../stock/not-enough-on-hand.js';
import { onHandMax, quantityMax } from '../stock/receive-stock.js';
import type { StockStore } from '../stock/stock-store.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { StockTransfer, TransferLine, type TransferStatus } from './stock-transfer.js';

export const linesMax = 100;

@InputType({ description: 'Units of one variant.' })
export class TransferLineInput {
  @Field(() => String, { description: 'The variant.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Int, { description: 'How many units, 1 to 1,000,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;
}

@InputType({ description: 'Units that are to move between two warehouses of a shop.' })
export class TransferStockInput {
  @Field(() => UUID, { description: 'The warehouse that they leave.' })
  from!: string;

  @Field(() => UUID, { description: 'The warehouse that they go to; of the same shop.' })
  to!: string;

  @Field(() => [TransferLineInput], { description: 'What moves, 1 to 100 lines.' })
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(linesMax)
  lines!: TransferLineInput[];
}

export const TransferStockResult = createUnionType({
  name: 'TransferStockResult',
  description: 'The transfer, or why nothing moved.',
  types: () => [StockTransfer, NotEnoughOnHand] as const,
});

export interface UnitsOfSku {
  readonly sku: string;
  readonly quantity: number;
}
export interface Transfer {
  readonly from: Warehouse;
  readonly to: Warehouse;
  readonly lines: readonly UnitsOfSku[];
  /** the id of the user who transfers */
  readonly actor: string;
}

/** Moves units at once: out here and in there in one commit. @returns as `dispatchTransfer` */
export const transferStock = (store: StockStore, transfer: Transfer) =>
  startTransfer(store, transfer, 'RECEIVED');

/**
 * Sends units on their way: they are out here, and incoming there until they are received.
 *
 * @returns the id of the transfer; or the levels that have too few, and nothing moved
 * @throws `BAD_USER_INPUT` when the two are no different warehouses of one shop, or a level would
 *   hold more than `onHandMax`
 */
export const dispatchTransfer = (store: StockStore, transfer: Transfer) =>
  startTransfer(store, transfer, 'IN_TRANSIT');

function startTransfer(
  store: StockStore,
  { from, to, lines, actor }: Transfer,
  status: TransferStatus,
): Promise<string | NotEnoughOnHand> {
  if (from.id === to.id) throw badInput({ 'input.to': 'is where they are' });
  const { shopId } = from;
  if (shopId !== to.shopId) throw badInput({ 'input.to': 'is a warehouse of another shop' });
  const demands = sumBySku(lines);
  return moveStock(store, async (em, openLedger) => {
    const ledger = await openLedger(demands.map(({ sku }) => ({ shopId, sku })));
    const short = shortLevels(ledger, from.id, demands);
    if (short.length > 0) return notEnoughOnHand(short);
    const targets = await ledger.makeLevels(
      em,
      to,
      demands.map(({ sku }) => sku),
    );
    const id = newId();
    for (const [n, { sku, quantity }] of demands.entries()) {
      const [source, target] = [ledger.levelOf(from.id, sku), targets[n]];
      if (!source || !target) throw new Error(`the ledger has no level of ${sku}`);
      if (target.onHand + target.incoming + quantity > onHandMax) {
        throw badInput({ 'input.lines': `a level holds at most ${onHandMax} units` });
      }
      const movement = { reservedDelta: 0, reference: id, actor };
      ledger.move(source, { type: 'TRANSFER_OUT', onHandDelta: -quantity, ...movement });
      if (status === 'IN_TRANSIT') ledger.expect(target, quantity);
      else ledger.move(target, { type: 'TRANSFER_IN', onHandDelta: quantity, ...movement });
    }
    ledger.append(StockTransfer, [{ id, shopId, fromId: from.id, toId: to.id, status }]);
    const counts = { received: 0, returned: 0, missing: 0 };
    const rows = demands.map((units) => ({ transferId: id, ...units, ...counts }));
    if (status === 'RECEIVED') for (const row of rows) row.received = row.quantity;
    ledger.append(TransferLine, rows);
    return id;
  });
}

/** A sku that stands in two lines is one demand. */
function sumBySku(lines: readonly UnitsOfSku[]): UnitsOfSku[] {
  const sums = new Map<string, number>();
  for (const { sku, quantity } of lines) sums.set(sku, quantity + (sums.get(sku) ?? 0));
  return [...sums].map(([sku, quantity]) => ({ sku, quantity }));
}

function shortLevels(ledger: Ledger, warehouseId: string, demands: readonly UnitsOfSku[]) {
  return demands.flatMap(({ sku, quantity }) => {
    const { onHand, reserved } = ledger.levelOf(warehouseId, sku) ?? { onHand: 0, reserved: 0 };
    return onHand - reserved < quantity ? [{ sku, requested: quantity, onHand, reserved }] : [];
  });
}
