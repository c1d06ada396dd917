import { Max, Min, NotEquals } from 'class-validator';
import { createUnionType, Field, InputType, Int } from 'type-graphql';
import type { Once } from '../../shared/database/transact.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { noUnits } from './level-units.js';
import { moveStock, type StockWork } from './move-stock.js';
import { NotEnoughOnHand, notEnoughOnHand } from './not-enough-on-hand.js';
import { NotEnoughUnavailable, notEnoughUnavailable } from './not-enough-unavailable.js';
import { quantityMax } from './receive-stock.js';
import { StockLevel } from './stock-level.js';
import type { StockStore } from './stock-store.js';

@InputType({ description: 'Units on hand that become unavailable, or available again.' })
export class MarkUnavailableInput {
  @Field(() => UUID, { description: 'The warehouse.' })
  warehouseId!: string;

  @Field(() => String, { description: 'The variant.' })
  @OneLine(64)
  sku!: string;

  @Field(() => Int, {
    description:
      'Units that become unavailable, negative for available again; -1,000,000 to 1,000,000, not 0.',
  })
  @Min(-quantityMax)
  @Max(quantityMax)
  @NotEquals(0)
  delta!: number;

  @Field(() => String, {
    description: 'Reason, such as “damaged” or “quarantine”; 1 to 255 characters.',
  })
  @OneLine(255)
  reason!: string;

  @KeyField()
  idempotencyKey?: string | null;
}

export const MarkUnavailableResult = createUnionType({
  name: 'MarkUnavailableResult',
  description: 'The level after the change, or why it was not changed.',
  types: () => [StockLevel, NotEnoughOnHand, NotEnoughUnavailable] as const,
});

export interface UnavailableChange {
  readonly warehouse: Warehouse;
  readonly sku: string;
  /** not 0 */
  readonly delta: number;
  readonly reason: string;
  /** the id of the user */
  readonly actor: string;
}

/**
 * Marks units on hand as unavailable, or as available again, with an UNAVAILABLE in the ledger.
 * Promised units may become unavailable: the level then has a shortfall.
 *
 * @returns the level, or why it was not changed
 */
export function markUnavailable(
  store: StockStore,
  { warehouse, sku, delta, reason, actor }: UnavailableChange,
  once?: Once<typeof MarkUnavailableResult>,
): Promise<typeof MarkUnavailableResult> {
  const work: StockWork<typeof MarkUnavailableResult> = async (_em, openLedger) => {
    const ledger = await openLedger([{ shopId: warehouse.shopId, sku }], {
      warehouseIds: [warehouse.id],
    });
    const found = ledger.findLevel(warehouse.id, sku) ?? noUnits;
    const { onHand, unavailable } = found;
    if (unavailable + delta > onHand) {
      return notEnoughOnHand([{ sku, requested: delta, ...found, free: onHand - unavailable }]);
    }
    if (unavailable + delta < 0) {
      return notEnoughUnavailable(sku, unavailable);
    }
    const level = ledger.requireLevel(warehouse.id, sku);
    ledger.move(level, { type: 'UNAVAILABLE', unavailableDelta: delta, reason, actor });
    return level;
  };
  return moveStock(store, work, { once, isStored: null });
}
