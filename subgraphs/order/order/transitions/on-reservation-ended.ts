import type { EntityManager } from '@mikro-orm/postgresql';
import type { OutboxEvent } from '../../../shared/messaging/inbox.js';
import type { CancelReason } from '../status.js';
import { endPending } from './end-pending.js';

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
