import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { lockReservation } from '../locks.js';
import { Ledger } from '../stock/ledger.js';
import type { StockContext } from '../stock/stock-store.js';

type SoldLine = StockKey & { readonly levelId: string; readonly quantity: number };

/**
 * Returns the sold units of one shop’s part of an order to the levels that they were sold from,
 * with a RETURN for each line. Only a `COMMITTED` reservation was sold; its units return once,
 * however many events there are.
 */
export async function onStockReturned(
  em: EntityManager,
  _event: OutboxEvent,
  { orderId, shopId, reason }: PayloadOf<'order.stock.returned'>,
  { app, logger }: Pick<StockContext, 'app' | 'logger'>,
): Promise<() => void> {
  const state = await lockReservation(em, orderId);
  if (state !== 'COMMITTED') {
    logger.error({ orderId, shopId, state }, 'return for an unsold reservation');
    return () => {};
  }
  const lines = await readSoldLines(em, orderId, shopId);
  const ledger = await Ledger.open(em, lines);
  for (const { levelId, quantity } of lines) {
    ledger.move(ledger.level(levelId), {
      type: 'RETURN',
      onHandDelta: quantity,
      reservedDelta: 0,
      reference: orderId,
      reason,
      actor: 'order',
    });
  }
  const changed = await ledger.write(em);
  return () => app.signals.send({ changed });
}

/** Lines that were sold and not returned yet; read under the lock of the reservation. */
function readSoldLines(em: EntityManager, orderId: string, shopId: string): Promise<SoldLine[]> {
  return sql<SoldLine>(
    em,
    `select level_id as "levelId", quantity, shop_id as "shopId", sku
     from reservation_line join stock_level on id = level_id
     where order_id = $1 and shop_id = $2 and not exists (
       select from stock_movement m where m.reference = $1::text and m.level_id = stock_level.id
         and m.type = 'RETURN')`,
    [orderId, shopId],
  );
}
