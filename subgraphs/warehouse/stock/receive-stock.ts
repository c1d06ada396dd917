import { IsOptional, Length, Max, Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { moveStock } from './move-stock.js';
import type { StockLevel } from './stock-level.js';
import type { StockStore } from './stock-store.js';

export const quantityMax = 1_000_000;
/** More than this on one level is refused, so that no sum over levels overflows an Int. */
export const onHandMax = 100_000_000;

@InputType({ description: 'Stock that arrives at a warehouse.' })
export class ReceiveStockInput {
  @Field(() => UUID, { description: 'Where it arrives.' })
  warehouseId!: string;

  @Field(() => String, { description: 'What arrives.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Int, { description: 'How many units, 1 to 1,000,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;

  @Field(() => String, { nullable: true, description: 'Of the delivery, for example its note.' })
  @IsOptional()
  @Length(0, 255)
  reference?: string | null;
}

export interface Receipt {
  readonly warehouse: Warehouse;
  readonly sku: string;
  readonly quantity: number;
  readonly reference: string | null;
  /** the id of the user who received it */
  readonly actor: string;
}

/**
 * Takes in stock: the level, its item and a RECEIPT in one commit.
 *
 * @throws `BAD_USER_INPUT` when the level would hold more than `onHandMax`
 */
export function receiveStock(store: StockStore, receipt: Receipt): Promise<StockLevel> {
  const { warehouse, sku, quantity, reference, actor } = receipt;
  return moveStock(store, async (em, openLedger) => {
    const ledger = await openLedger([{ shopId: warehouse.shopId, sku }]);
    const [level] = (await ledger.makeLevels(em, warehouse, [sku])) as [StockLevel];
    if (level.onHand + quantity > onHandMax) {
      throw badInput({ 'input.quantity': `a level holds at most ${onHandMax} units` });
    }
    ledger.move(level, {
      type: 'RECEIPT',
      onHandDelta: quantity,
      reservedDelta: 0,
      reference,
      actor,
    });
    return level;
  });
}
