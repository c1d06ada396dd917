import { ArrayMaxSize, ArrayMinSize, Max, Min, ValidateNested } from 'class-validator';
import { createUnionType, Field, InputType, Int } from 'type-graphql';
import type { UnitsOfSku } from '../../contracts/stock-key.js';
import type { Once } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { newId } from '../../shared/ids.js';
import { onHandMax } from '../stock/item-room.js';
import type { Ledger } from '../stock/ledger.js';
import { freeUnits, noUnits } from '../stock/level-units.js';
import { moveStock, type StockWork } from '../stock/move-stock.js';
import { NotEnoughOnHand, notEnoughOnHand } from '../stock/not-enough-on-hand.js';
import { quantityMax } from '../stock/receive-stock.js';
import type { StockLevel } from '../stock/stock-level.js';
import type { StockStore } from '../stock/stock-store.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { StockTransfer, TransferLine, type TransferStatus } from './stock-transfer.js';

export const linesMax = 100;

@InputType({ description: 'Units of one variant.' })
export class TransferLineInput {
  @Field(() => String, { description: 'The variant.' })
  @OneLine(64)
  sku!: string;

  @Field(() => Int, { description: 'Units, 1 to 1,000,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;
}

@InputType({ description: 'Units to move between two warehouses of a shop.' })
export class TransferStockInput {
  @Field(() => UUID, { description: 'The warehouse that the units leave.' })
  from!: string;

  @Field(() => UUID, { description: 'The warehouse that the units go to, of the same shop.' })
  to!: string;

  @Field(() => [TransferLineInput], { description: 'The units, 1 to 100 lines.' })
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(linesMax)
  lines!: TransferLineInput[];

  @KeyField()
  idempotencyKey?: string | null;
}

export const TransferStockResult = createUnionType({
  name: 'TransferStockResult',
  description: 'The transfer, or why nothing moved.',
  types: () => [StockTransfer, NotEnoughOnHand] as const,
});

export interface Transfer {
  readonly from: Warehouse;
  readonly to: Warehouse;
  readonly lines: readonly UnitsOfSku[];
  /** the id of the user who transfers */
  readonly actor: string;
}

type OnceTransferred = Once<typeof TransferStockResult>;

/** Moves units in one commit. @returns as `dispatchTransfer` */
export const transferStock = (store: StockStore, transfer: Transfer, once?: OnceTransferred) =>
  startTransfer(store, transfer, 'RECEIVED', once);

/**
 * Sends units: they leave the first warehouse now, and are incoming at the second until received.
 *
 * @returns the transfer; or the levels with too few units, when nothing was changed
 * @throws `BAD_USER_INPUT` unless both are different warehouses of one shop; for more than
 *   `onHandMax` units on a level
 */
export const dispatchTransfer = (store: StockStore, transfer: Transfer, once?: OnceTransferred) =>
  startTransfer(store, transfer, 'IN_TRANSIT', once);

function startTransfer(
  store: StockStore,
  { from, to, lines, actor }: Transfer,
  status: TransferStatus,
  once: OnceTransferred | undefined,
): Promise<typeof TransferStockResult> {
  if (from.id === to.id) throw badInput({ 'input.to': 'must be another warehouse than from' });
  const { shopId } = from;
  if (shopId !== to.shopId) throw badInput({ 'input.to': 'must be a warehouse of the same shop' });
  const demands = sumBySku(lines);
  const work: StockWork<typeof TransferStockResult> = async (em, openLedger) => {
    const keys = demands.map(({ sku }) => ({ shopId, sku }));
    const ledger = await openLedger(keys, { warehouseIds: [from.id, to.id] });
    const short = shortLevels(ledger, from.id, demands);
    if (short.length > 0) return notEnoughOnHand(short);
    const targets = await ledger.ensureLevels(
      em,
      to,
      demands.map(({ sku }) => sku),
    );
    const id = newId();
    for (const [n, { sku, quantity }] of demands.entries()) {
      const [source, target] = [ledger.requireLevel(from.id, sku), targets[n] as StockLevel];
      if (target.onHand + target.incoming + quantity > onHandMax) {
        throw badInput({ 'input.lines': `a level holds at most ${onHandMax} units` });
      }
      const movement = { reference: id, actor };
      ledger.move(source, { type: 'TRANSFER_OUT', onHandDelta: -quantity, ...movement });
      if (status === 'IN_TRANSIT') ledger.changeIncoming(target, quantity);
      else ledger.move(target, { type: 'TRANSFER_IN', onHandDelta: quantity, ...movement });
    }
    const times = { createdAt: ledger.now, updatedAt: ledger.now };
    const transfer = { id, shopId, fromId: from.id, toId: to.id, status, ...times };
    ledger.append(StockTransfer, [transfer]);
    const counts = { received: 0, returned: 0, missing: 0 };
    const rows = demands.map((units) => ({ shopId, transferId: id, ...units, ...counts }));
    if (status === 'RECEIVED') for (const row of rows) row.received = row.quantity;
    ledger.append(TransferLine, rows);
    return Object.assign(new StockTransfer(), transfer);
  };
  return moveStock(store, work, { once, isStored: null });
}

/** Adds up lines of the same sku. */
function sumBySku(lines: readonly UnitsOfSku[]): UnitsOfSku[] {
  const sums = new Map<string, number>();
  for (const { sku, quantity } of lines) sums.set(sku, quantity + (sums.get(sku) ?? 0));
  return [...sums].map(([sku, quantity]) => ({ sku, quantity }));
}

function shortLevels(ledger: Ledger, warehouseId: string, demands: readonly UnitsOfSku[]) {
  return demands.flatMap(({ sku, quantity }) => {
    const level = ledger.findLevel(warehouseId, sku) ?? noUnits;
    return freeUnits(level) < quantity ? [{ ...level, sku, requested: quantity }] : [];
  });
}
