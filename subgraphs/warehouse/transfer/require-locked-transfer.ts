import type { EntityManager } from '@mikro-orm/postgresql';
import { notFound } from '../../shared/errors.js';
import { lockById } from '../locks.js';
import { StockTransfer, TransferLine } from './stock-transfer.js';

/**
 * Locks a transfer, then reads it and its lines by sku.
 *
 * @throws `NOT_FOUND`
 */
export async function requireLockedTransfer(em: EntityManager, shopId: string, id: string) {
  const transfer = await lockById(em, StockTransfer, { shopId, id });
  if (!transfer) throw notFound('transfer', id);
  const lines = await em.find(
    TransferLine,
    { shopId, transferId: id },
    { orderBy: { sku: 'asc' } },
  );
  return { transfer, lines };
}
