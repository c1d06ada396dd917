import type { Warehouse } from '../warehouse/warehouse.js';
import type { StockStore } from './engine.js';
import { moveStock } from './move-stock.js';
import type { StockLevel } from './stock-level.js';

export interface Adjustment {
  readonly warehouse: Warehouse;
  readonly sku: string;
  /** units that are there and were not known of, or the other way round: not 0 */
  readonly delta: number;
  /** why: what was counted, found, broken */
  readonly reason: string;
  /** the id of the user who adjusts */
  readonly actor: string;
}

/**
 * Corrects a level: an ADJUSTMENT in the ledger. Units that orders hold cannot be taken away.
 *
 * @returns the level, or null when fewer units are there, and not held, than would go
 */
export function adjustStock(store: StockStore, adjustment: Adjustment): Promise<StockLevel | null> {
  const { warehouse, sku, delta, reason, actor } = adjustment;
  return moveStock(store, async (_em, openLedger) => {
    const ledger = await openLedger([{ shopId: warehouse.shopId, sku }]);
    const level = ledger.levelOf(warehouse.id, sku);
    if (!level || level.onHand + delta < level.reserved) return null;
    ledger.move(level, {
      type: 'ADJUSTMENT',
      onHandDelta: delta,
      reservedDelta: 0,
      reference: null,
      reason,
      actor,
    });
    return level;
  });
}
