import { IsOptional, Max, Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import type { Once } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { onHandMax, unitsPerItemMax } from './item-room.js';
import { moveStock, type StockWork } from './move-stock.js';
import type { StockLevel } from './stock-level.js';
import type { StockStore } from './stock-store.js';

export const quantityMax = 1_000_000;

@InputType({ description: 'A delivery of one variant to a warehouse.' })
export class ReceiveStockInput {
  @Field(() => UUID, { description: 'The warehouse.' })
  warehouseId!: string;

  @Field(() => String, { description: 'The variant.' })
  @OneLine(64)
  sku!: string;

  @Field(() => Int, { description: 'Units received, 1 to 1,000,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;

  @Field(() => String, {
    nullable: true,
    description: 'Reference of the delivery, such as the number of its note; 1 to 255 characters.',
  })
  @IsOptional()
  @OneLine(255)
  reference?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Low-stock threshold of the level from now on, 0 to 100,000,000; 0 for never. It is unchanged if omitted.',
  })
  @IsOptional()
  @Min(0)
  @Max(onHandMax)
  threshold?: number | null;

  @KeyField()
  idempotencyKey?: string | null;
}

/** The reason for refusing units that `Ledger.hasRoom` has no room for. @param path of the input */
export const tooMany = (path: string) => ({
  [path]: `a level has at most ${onHandMax} units, and a variant ${unitsPerItemMax} in all warehouses of a shop`,
});

export interface Receipt {
  readonly warehouse: Warehouse;
  readonly sku: string;
  readonly quantity: number;
  readonly reference: string | null;
  /** the level’s low-stock threshold from now on; by default it is unchanged */
  readonly threshold?: number | null | undefined;
  /** the id of the user who receives */
  readonly actor: string;
}

/**
 * Adds received units to a level, with a RECEIPT in the ledger, and sets its threshold if one is given.
 *
 * @throws `BAD_USER_INPUT` for more units than a level or an item may have (`Ledger.hasRoom`)
 */
export function receiveStock(
  store: StockStore,
  { warehouse, sku, quantity, reference, threshold = null, actor }: Receipt,
  once?: Once<StockLevel>,
): Promise<StockLevel> {
  const work: StockWork<StockLevel> = async (em, openLedger) => {
    const ledger = await openLedger([{ shopId: warehouse.shopId, sku }], {
      warehouseIds: [warehouse.id],
    });
    const [level] = (await ledger.ensureLevels(em, warehouse, [sku])) as [StockLevel];
    await ledger.room.read(em, [level]);
    if (!ledger.room.has(level, quantity)) throw badInput(tooMany('input.quantity'));
    ledger.move(level, { type: 'RECEIPT', onHandDelta: quantity, reference, actor });
    if (threshold !== null) ledger.setThreshold(level, threshold);
    return level;
  };
  return moveStock(store, work, { once, isStored: null });
}
