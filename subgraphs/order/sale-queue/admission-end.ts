import { admissionEndsSql } from './admission/passes.js';
import type { SaleQueue } from './sale-queue.js';
import type { SaleTicket } from './sale-ticket.js';

/** SQL for whether the admission of a ticket ended without an order that is open or paid for. */
export const isLapsedSql = (ticket: string, queue: string) =>
  `(${ticket}.admitted_at is not null and ${ticket}.order_id is null
    and ${admissionEndsSql(ticket, `${queue}.admission_minutes * 60000`, `${queue}.paused_ms`)}
      <= clock_timestamp())`;

/** Until when the admission of a ticket is valid; null while it waits. */
export function admissionEnd(
  { admittedAt, admittedPausedMs }: SaleTicket,
  { admissionMinutes, pausedMs }: SaleQueue,
): Date | null {
  if (!admittedAt) return null;
  const pausedSinceMs = Math.max(0, pausedMs - (admittedPausedMs ?? 0));
  return new Date(admittedAt.getTime() + admissionMinutes * 60_000 + pausedSinceMs);
}

/** Whether the admission of a ticket ended without an order that is open or paid for. */
export function isLapsed(ticket: SaleTicket, queue: SaleQueue): boolean {
  const endsAt = admissionEnd(ticket, queue);
  return endsAt !== null && ticket.orderId === null && endsAt.getTime() <= Date.now();
}
