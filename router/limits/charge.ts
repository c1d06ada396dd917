import type { Charge } from '../context.js';
import { type ConsumeLimit, costOfPoint } from './rate-limits.js';

/**
 * Counts one request and charges the cost of its operation, in one message to Redis. A cost of less than a point
 * is covered by the count.
 *
 * @param userId of a signed-in user
 */
export function createCharge(
  consumeLimit: ConsumeLimit,
  address: string,
  userId: string | undefined,
): Charge {
  let isCharged = false;
  return async (cost = 0) => {
    if (isCharged) return;
    isCharged = true;
    const points = Math.floor(cost / costOfPoint);
    const consumed = [consumeLimit('ip', address)];
    if (points > 0) consumed.push(consumeLimit('ipCost', address, points));
    if (userId) {
      consumed.push(consumeLimit('user', userId));
      if (points > 0) consumed.push(consumeLimit('userCost', userId, points));
    }
    await Promise.all(consumed);
  };
}
