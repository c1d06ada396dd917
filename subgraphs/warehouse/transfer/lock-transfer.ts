import type { EntityManager } from '@mikro-orm/postgresql';
import { LockMode } from '@mikro-orm/postgresql';
import { notFound } from '../../shared/errors.js';
import { StockTransfer, TransferLine, type TransferStatus } from './stock-transfer.js';

/**
 * A transfer and its lines, in the order of their skus, under the lock of its row: the first lock of
 * a transaction, in the place of those of reservations, which none takes beside it.
 *
 * @throws `NOT_FOUND`
 */
export async function lockTransfer(em: EntityManager, id: string) {
  const transfer = await em.findOne(StockTransfer, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!transfer) throw notFound('transfer', id);
  const { shopId, fromId, toId, status } = transfer;
  const lines = await em.find(TransferLine, { transferId: id }, { orderBy: { sku: 'asc' } });
  const end = (ended: TransferStatus) => {
    transfer.status = ended;
  };
  return { shopId, fromId, toId, status, lines, end };
}
