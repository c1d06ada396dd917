import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../../contracts/events.js';
import type { OutboxEvent } from '../../../shared/messaging/inbox.js';
import { endPending } from './end-pending.js';

/** Cancels the order of a reservation that ended, if it is still pending. */
export async function onReservationEnded(
  em: EntityManager,
  _event: OutboxEvent,
  { orderId, reason, actor }: PayloadOf<'warehouse.reservation.ended'>,
): Promise<void> {
  await endPending(em, orderId, { status: 'CANCELLED', reason, actor });
}
