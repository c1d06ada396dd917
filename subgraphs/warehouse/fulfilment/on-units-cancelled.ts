import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { Ledger, type Movement } from '../stock/ledger.js';
import type { StockLevel } from '../stock/stock-level.js';
import type { StockContext } from '../stock/stock-store.js';
import { countTaken, openCommittedPart, type Taken, takeUnits } from './committed-lines.js';

/**
 * Paid units of a shop order were cancelled. The reason decides what becomes of them:
 *
 * - OUT_OF_STOCK: they are missing. Those of the shortfall are not on hand, as a count has shown; the
 *   rest is subtracted from the units on hand.
 * - DAMAGED: they stay in the warehouse, and become unavailable.
 * - any other: they can be sold again.
 */
export async function onUnitsCancelled(
  em: EntityManager,
  _event: OutboxEvent,
  { shopOrderId, orderId, shopId, reason, lines }: PayloadOf<'order.units.cancelled'>,
  { app, logger }: Pick<StockContext, 'app' | 'logger'>,
): Promise<() => void> {
  const about = { orderId, shopOrderId, shopId };
  const part = await openCommittedPart(em, (keys, choice) => Ledger.open(em, keys, choice), about);
  if (!part) {
    logger.error(about, 'cancelled units of an order that is not paid');
    return () => {};
  }
  const { ledger } = part;
  const { taken, left } = takeUnits(part.lines, lines, shortFirst(ledger));
  if (left > 0) logger.error({ ...about, units: left }, 'more units cancelled than are committed');
  for (const each of taken) {
    const movements = cancellationOf(each, reason, { reference: orderId, reason, actor: 'order' });
    ledger.move(each.level, ...movements);
  }
  await countTaken(em, about, 'cancelled', taken);
  const changed = await ledger.write(em);
  return () => app.signals.send({ changed });
}

/** Levels with a shortfall first, then those of the warehouses that are sold from last. */
const shortFirst = (ledger: Ledger) => (a: StockLevel, b: StockLevel) =>
  Number(b.shortfall > 0) - Number(a.shortfall > 0) || ledger.byPriority(b, a);

type About = Required<Pick<Movement, 'reference' | 'reason' | 'actor'>>;

function cancellationOf(
  { level, units }: Taken,
  reason: PayloadOf<'order.units.cancelled'>['reason'],
  about: About,
): Movement[] {
  const uncommit: Movement = { ...about, type: 'UNCOMMIT', committedDelta: -units };
  if (reason === 'OUT_OF_STOCK') {
    const missing = units - Math.min(units, level.shortfall);
    if (missing === 0) return [uncommit];
    return [uncommit, { ...about, type: 'ADJUSTMENT', onHandDelta: -missing }];
  }
  if (reason === 'DAMAGED') {
    const damaged = Math.min(units, level.onHand - level.unavailable);
    if (damaged === 0) return [uncommit];
    return [uncommit, { ...about, type: 'UNAVAILABLE', unavailableDelta: damaged }];
  }
  return [uncommit];
}
