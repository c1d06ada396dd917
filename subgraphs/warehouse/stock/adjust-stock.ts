import type { EntityManager } from '@mikro-orm/postgresql';
import { IsOptional, Max, Min } from 'class-validator';
import { createUnionType, Field, InputType, Int, ObjectType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import type { Once } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { Allow } from '../../shared/rights/rights.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { correctOnHand } from './correct-on-hand.js';
import { onHandMax } from './item-room.js';
import { noUnits } from './level-units.js';
import { moveStock, type StockWork } from './move-stock.js';
import { NotEnoughOnHand, notEnoughOnHand } from './not-enough-on-hand.js';
import { NotEnoughUnavailable, notEnoughUnavailable } from './not-enough-unavailable.js';
import { quantityMax, tooMany } from './receive-stock.js';
import { StockLevel } from './stock-level.js';
import type { StockStore } from './stock-store.js';

@InputType({
  description: 'A correction of a stock level: by `delta`, or `setTo` a counted number of units.',
})
export class AdjustStockInput {
  @Field(() => UUID, { description: 'The warehouse.' })
  warehouseId!: string;

  @Field(() => String, { description: 'The variant.' })
  @OneLine(64)
  sku!: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'Units to add, negative to remove; -1,000,000 to 1,000,000, not 0. Either this or `setTo`.',
  })
  @IsOptional()
  @Min(-quantityMax)
  @Max(quantityMax)
  delta?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Units that were counted in the warehouse, packed parcels included; 0 to 100,000,000.',
  })
  @IsOptional()
  @Min(0)
  @Max(onHandMax)
  setTo?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Required with `setTo`: the units on hand before. If they differ, nothing changes.',
  })
  @IsOptional()
  @Min(0)
  expectedOnHand?: number | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'Whether to remove unavailable units, which are then gone. Only with a `delta` below 0.',
  })
  fromUnavailable!: boolean;

  @Field(() => String, {
    description: 'Reason, such as “counted” or “damaged”; 1 to 255 characters.',
  })
  @OneLine(255)
  reason!: string;

  @KeyField()
  idempotencyKey?: string | null;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The units on hand are not those that were expected.',
})
export class StaleStock extends Refusal {
  @Field(() => Int, { description: 'Units on hand.' })
  onHand!: number;
}

export const AdjustStockResult = createUnionType({
  name: 'AdjustStockResult',
  description: 'The level after the correction, or why it was not changed.',
  types: () => [StockLevel, StaleStock, NotEnoughOnHand, NotEnoughUnavailable] as const,
});

export type LevelChange =
  | { readonly delta: number; readonly fromUnavailable?: boolean }
  | { readonly setTo: number; readonly expectedOnHand: number };

/** @throws `BAD_USER_INPUT` unless the input has either `delta`, or `setTo` and `expectedOnHand` */
export function changeOf(input: AdjustStockInput): LevelChange {
  const { delta, setTo, expectedOnHand, fromUnavailable } = input;
  const hasDelta = typeof delta === 'number';
  if (hasDelta === (typeof setTo === 'number')) {
    throw badInput({ 'input.delta': 'give either delta or setTo' });
  }
  if (hasDelta) {
    if (delta === 0) throw badInput({ 'input.delta': 'must not be 0' });
    if (fromUnavailable && delta > 0) {
      throw badInput({ 'input.fromUnavailable': 'must be given with a delta below 0 only' });
    }
    return { delta, fromUnavailable };
  }
  if (fromUnavailable) throw badInput({ 'input.fromUnavailable': 'must not be given with setTo' });
  if (typeof expectedOnHand !== 'number') {
    throw badInput({ 'input.expectedOnHand': 'must be given with setTo' });
  }
  return { setTo: setTo as number, expectedOnHand };
}

export type Adjustment = LevelChange & {
  readonly warehouse: Warehouse;
  readonly sku: string;
  readonly reason: string;
  /** the id of the user who adjusts */
  readonly actor: string;
};

/**
 * Corrects a level, with an ADJUSTMENT in the ledger. Promised units may be removed: the level then
 * has a shortfall.
 *
 * @returns the level, or why it was not changed
 * @throws `BAD_USER_INPUT` for more units than a level or an item may have (`Ledger.hasRoom`)
 */
export function adjustStock(
  store: StockStore,
  adjustment: Adjustment,
  once?: Once<typeof AdjustStockResult>,
): Promise<typeof AdjustStockResult> {
  const { warehouse, sku, reason, actor } = adjustment;
  const work: StockWork<typeof AdjustStockResult> = async (em, openLedger) => {
    const ledger = await openLedger([{ shopId: warehouse.shopId, sku }], {
      warehouseIds: [warehouse.id],
    });
    const found = ledger.findLevel(warehouse.id, sku) ?? noUnits;
    const { onHand } = found;
    if ('setTo' in adjustment && adjustment.expectedOnHand !== onHand) {
      const message = `There are ${onHand} units of ${sku} on hand, not ${adjustment.expectedOnHand}.`;
      return result(StaleStock, { message, onHand });
    }
    const delta = 'setTo' in adjustment ? adjustment.setTo - onHand : adjustment.delta;
    if (onHand + delta < 0) {
      return notEnoughOnHand([{ sku, requested: -delta, ...found }]);
    }
    const gone = 'delta' in adjustment && adjustment.fromUnavailable ? -delta : 0;
    if (gone > found.unavailable) return notEnoughUnavailable(sku, found.unavailable);
    const [level] = (await ledger.ensureLevels(em, warehouse, [sku])) as [StockLevel];
    if (delta > 0) await ledger.room.read(em, [level]);
    if (delta > 0 && !ledger.room.has(level, delta)) {
      throw badInput(tooMany('setTo' in adjustment ? 'input.setTo' : 'input.delta'));
    }
    correctOnHand(ledger, level, { delta, gone, reason, actor });
    if ('setTo' in adjustment) ledger.setCountedAt(level, ledger.timeOf(level));
    return level;
  };
  return moveStock(store, work, { once, isStored: isCounted });
}

/** Of a level that had the units which it was set to. */
async function isCounted(em: EntityManager, value: typeof AdjustStockResult): Promise<boolean> {
  if (!(value instanceof StockLevel)) return false;
  const { shopId, id, countedAt } = value;
  const counted = 'select from stock_level where shop_id = $1 and id = $2 and counted_at >= $3';
  return (await sql(em, counted, [shopId, id, countedAt])).length > 0;
}
