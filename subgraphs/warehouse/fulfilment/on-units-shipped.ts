import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { Ledger, type Movement } from '../stock/ledger.js';
import type { StockContext } from '../stock/stock-store.js';
import { countTaken, openCommittedPart, type Taken, takeUnits } from './committed-lines.js';

/**
 * The units of a shop order left the warehouse: a SHIPMENT of each level. Never refused: a parcel
 * that was shipped is gone.
 *
 * A shipment of more units than the level has shows that its number was too low since its last count: an ADJUSTMENT
 * adds the difference first, with the time of that count. If the level was counted after the parcel left, the count did
 * not contain it: an ADJUSTMENT adds the units that the SHIPMENT subtracts.
 */
export async function onUnitsShipped(
  em: EntityManager,
  _event: OutboxEvent,
  { shopOrderId, orderId, shopId, shippedAt, lines }: PayloadOf<'order.units.shipped'>,
  { app, logger }: Pick<StockContext, 'app' | 'logger'>,
): Promise<() => void> {
  const about = { orderId, shopOrderId, shopId };
  const part = await openCommittedPart(em, (keys, choice) => Ledger.open(em, keys, choice), about);
  if (!part) {
    logger.error(about, 'shipment of an order that is not paid');
    return () => {};
  }
  const { ledger } = part;
  const { taken, left } = takeUnits(part.lines, lines, ledger.byPriority);
  if (left > 0) logger.error({ ...about, units: left }, 'more units shipped than are committed');
  const occurredAt = new Date(Math.min(Date.parse(shippedAt), ledger.now.getTime()));
  const beyondCount: Array<{ levelId: string; units: number }> = [];
  for (const each of taken) {
    const movements = shipmentOf(each, { reference: orderId, actor: 'order', occurredAt });
    const [first] = movements;
    if (first?.type === 'ADJUSTMENT') {
      beyondCount.push({ levelId: each.level.id, units: first.onHandDelta ?? 0 });
    }
    ledger.move(each.level, ...movements);
  }
  await countTaken(em, about, 'shipped', taken);
  const changed = await ledger.write(em);
  return () => {
    for (const each of beyondCount) {
      logger.error({ ...about, ...each }, 'shipped beyond the count');
      app.metrics.shippedBeyondCount.inc(each.units);
    }
    app.signals.send({ changed });
  };
}

type About = Required<Pick<Movement, 'reference' | 'actor' | 'occurredAt'>>;

function shipmentOf({ level, units }: Taken, about: About): Movement[] {
  const shipment: Movement = {
    ...about,
    type: 'SHIPMENT',
    onHandDelta: -units,
    committedDelta: -units,
  };
  const adjustment = { ...about, type: 'ADJUSTMENT' as const };
  if (level.countedAt && about.occurredAt < level.countedAt) {
    return [shipment, { ...adjustment, onHandDelta: units, reason: 'already counted' }];
  }
  const beyond = units - (level.onHand - level.unavailable);
  if (beyond <= 0) return [shipment];
  const occurredAt = level.countedAt ?? level.createdAt;
  const reason = 'shipped beyond the count';
  return [{ ...adjustment, onHandDelta: beyond, reason, occurredAt }, shipment];
}
