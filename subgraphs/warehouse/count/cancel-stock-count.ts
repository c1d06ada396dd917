import { createUnionType } from 'type-graphql';
import { type Once, transact } from '../../shared/database/transact.js';
import type { WarehouseContext } from '../context.js';
import type { InShop } from '../locks.js';
import { lockOpenCount, StockCountNotOpen } from './lock-open-count.js';
import { StockCount } from './stock-count.js';

export const CancelStockCountResult = createUnionType({
  name: 'CancelStockCountResult',
  description: 'The stock count, or why it was not cancelled.',
  types: () => [StockCount, StockCountNotOpen] as const,
});

/** Cancels an open stock count. @returns the count, or why nothing was changed */
export function cancelStockCount(
  { em }: WarehouseContext,
  key: InShop,
  once?: Once<typeof CancelStockCountResult>,
): Promise<typeof CancelStockCountResult> {
  const work = async (tx: typeof em) => {
    const count = await lockOpenCount(tx, key);
    if (count instanceof StockCount) count.status = 'CANCELLED';
    return count;
  };
  return transact(em, work, once);
}
