import type { Once } from '../../shared/database/transact.js';
import { moveStock, type StockWork } from '../stock/move-stock.js';
import type { StockStore } from '../stock/stock-store.js';
import {
  type ReceiveTransferResult,
  type TransferReceipt,
  transferNotOpen,
} from './receive-transfer.js';
import { requireLockedTransfer } from './require-locked-transfer.js';
import { unitsInTransit } from './stock-transfer.js';

/**
 * Cancels a transfer: units in transit return to their source, received units stay.
 *
 * @returns the transfer, or why nothing was done
 */
export function cancelTransfer(
  store: StockStore,
  { shopId, transferId, actor }: Pick<TransferReceipt, 'shopId' | 'transferId' | 'actor'>,
  once?: Once<typeof ReceiveTransferResult>,
): Promise<typeof ReceiveTransferResult> {
  const work: StockWork<typeof ReceiveTransferResult> = async (em, openLedger) => {
    const { transfer, lines } = await requireLockedTransfer(em, shopId, transferId);
    if (transfer.status !== 'IN_TRANSIT') return transferNotOpen(transfer.status);
    const { fromId, toId } = transfer;
    const keys = lines.map(({ sku }) => ({ shopId, sku }));
    const ledger = await openLedger(keys, { warehouseIds: [fromId, toId] });
    for (const line of lines) {
      const units = unitsInTransit(line);
      if (units === 0) continue;
      line.returned += units;
      ledger.changeIncoming(ledger.requireLevel(toId, line.sku), -units);
      ledger.move(ledger.requireLevel(fromId, line.sku), {
        type: 'TRANSFER_IN',
        onHandDelta: units,
        reference: transferId,
        actor,
      });
    }
    transfer.status = 'CANCELLED';
    return transfer;
  };
  return moveStock(store, work, { once, isStored: null });
}
