import { reservationKeptDays } from '../../contracts/reservation.js';
import { isTimed, timeOfId } from '../../shared/ids.js';

// Clocks of processes differ by less; a pruner deletes nothing of an order that is younger.
const marginDays = 1;

/**
 * Whether an order is so old that its reservation may have been done and deleted since: nothing may be decided
 * about it a second time. Its id has its time.
 */
export const mayBePruned = (orderId: string): boolean =>
  isTimed(orderId) &&
  timeOfId(orderId) < Date.now() - (reservationKeptDays - marginDays) * 24 * 3_600_000;
