import type { Queue } from '../../shared/runtime/queue-mark.js';

/** Reservations that are `HELD`, by the index `reservation_due`. */
export const reservationQueue: Queue = {
  table: 'reservation',
  dueAt: 'expires_at',
  unfinished: `state = 'HELD'`,
};
