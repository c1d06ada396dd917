import { moveStock } from '../stock/move-stock.js';
import type { StockStore } from '../stock/stock-store.js';
import { type TransferNotOpen, transferNotOpen } from './receive-transfer.js';
import { requireLockedTransfer } from './require-locked-transfer.js';
import { unitsInTransit } from './stock-transfer.js';

/**
 * Ends a transfer: what has not been received goes back to where it came from; what has, stays.
 *
 * @returns null when it is done; or why it was not
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
      const [source, target] = [ledger.levelOf(fromId, line.sku), ledger.levelOf(toId, line.sku)];
      if (!source || !target) throw new Error(`the ledger has no level of ${line.sku}`);
      const units = unitsInTransit(line);
      if (units === 0) continue;
      line.returned += units;
      ledger.expect(target, -units);
      ledger.move(source, {
        type: 'TRANSFER_IN',
        onHandDelta: units,
        reservedDelta: 0,
        reference: transferId,
        actor,
      });
    }
    transfer.end('CANCELLED');
    return null;
  });
}
