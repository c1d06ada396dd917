import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../../contracts/events.js';
import type { OutboxEvent } from '../../../shared/messaging/inbox.js';
import { endPending } from './end-pending.js';

/** Cancels the order of a hold that ended; an order that is not pending is left as it is. */
export async function onReservationEnded(
  em: EntityManager,
  _event: OutboxEvent,
  { orderId, reason, actor }: PayloadOf<'warehouse.reservation.ended'>,
): Promise<void> {
  await endPending(em, orderId, { status: 'CANCELLED', reason, actor });
}
