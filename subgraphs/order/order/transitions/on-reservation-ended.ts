import type { EntityManager } from '@mikro-orm/postgresql';
import type { OutboxEvent } from '../../../shared/messaging/inbox.js';
import type { CancelReason } from '../status.js';
import { endPending } from './end-pending.js';

/** The event of the warehouse subgraph that a reservation ended without a sale. */
export interface ReservationEnded {
  readonly orderId: string;
  readonly state: 'RELEASED' | 'EXPIRED';
  readonly reason: CancelReason;
  /** the user who released it, if any */
  readonly actor?: string;
}

/** Cancels the order of a reservation that ended, if it is still pending. */
export async function onReservationEnded(
  em: EntityManager,
  _event: OutboxEvent,
  { orderId, reason, actor }: ReservationEnded,
): Promise<void> {
  await endPending(em, orderId, { status: 'CANCELLED', reason, actor });
}
