import { notFound } from '../../shared/errors.js';
import type { WarehouseContext } from '../context.js';
import { lockById } from '../locks.js';
import { StockCount } from './stock-count.js';
import { notOpen, type StockCountNotOpen } from './submit-stock-count.js';

/** Cancels an open stock count. @returns null on success; otherwise why nothing was changed */
export function cancelStockCount(
  { em }: WarehouseContext,
  id: string,
): Promise<StockCountNotOpen | null> {
  return em.fork().transactional(async (tx) => {
    const count = await lockById(tx, StockCount, id);
    if (!count) throw notFound('stock count', id);
    if (count.status !== 'OPEN') return notOpen(count.status);
    count.status = 'CANCELLED';
    return null;
  });
}
