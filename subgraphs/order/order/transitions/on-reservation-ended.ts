import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../../contracts/events.js';
import type { OutboxEvent } from '../../../shared/messaging/inbox.js';
import { findOrderKey } from '../find-order-key.js';
import { endPending } from './end-pending.js';

/** Cancels the order of a reservation that ended, if it is still pending. */
export async function onReservationEnded(
  em: EntityManager,
  _event: OutboxEvent,
  { orderId, reason, actor }: PayloadOf<'warehouse.reservation.ended'>,
): Promise<void> {
  // Otherwise the actor of this reason is the checkout.
  const by = reason === 'OUT_OF_STOCK' ? 'warehouse' : actor;
  const order = await findOrderKey(em, orderId);
  if (order) await endPending(em, order, { to: 'CANCELLED', reason, actor: by });
}
