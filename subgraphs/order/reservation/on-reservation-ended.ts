import type { EntityManager } from '../../shared/database.js';
import type { OutboxEvent } from '../../shared/inbox.js';
import { endPending } from '../order/change-status.js';
import type { CancelReason } from '../order/status.js';

/** The event by which the warehouse subgraph tells that a hold ended without a sale. */
export interface ReservationEnded {
  readonly orderId: string;
  readonly state: 'RELEASED' | 'EXPIRED';
  readonly reason: CancelReason;
  /** the user who gave it up, where it was one */
  readonly actor?: string;
}

/** Cancels the order of a hold that ended; an order that is not pending is left as it is. */
export async function onReservationEnded(
  em: EntityManager,
  _event: OutboxEvent,
  { orderId, reason, actor }: ReservationEnded,
): Promise<void> {
  await endPending(em, orderId, { status: 'CANCELLED', reason, actor });
}
