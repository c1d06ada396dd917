import { moveStock } from '../stock/move-stock.js';
import type { StockStore } from '../stock/stock-store.js';
import { type TransferNotOpen, transferNotOpen } from './receive-transfer.js';
import { requireLockedTransfer } from './require-locked-transfer.js';
import { unitsInTransit } from './stock-transfer.js';

/**
 * Cancels a transfer: units in transit return to their source, received units stay.
 *
 * @returns null on success; otherwise why nothing was done
 */
export function cancelTransfer(
  store: StockStore,
  { transferId, actor }: { readonly transferId: string; readonly actor: string },
): Promise<TransferNotOpen | null> {
  return moveStock(store, async (em, openLedger) => {
    const transfer = await requireLockedTransfer(em, transferId);
    if (transfer.status !== 'IN_TRANSIT') return transferNotOpen(transfer.status);
    const { shopId, fromId, toId, lines } = transfer;
    const ledger = await openLedger(lines.map(({ sku }) => ({ shopId, sku })));
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
    transfer.end('CANCELLED');
    return null;
  });
}
