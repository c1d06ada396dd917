import { isPaymentPending, retryUntil } from '../harness/retry.js';
import type { GraphQLReply } from '../harness/system.js';

const requestMaxMs = 60_000;

/**
 * Sends a checkout until there is a final reply.
 *
 * @returns the result; null if there was none within a minute
 * @throws Error for an error that no buyer may get
 */
export async function sendCheckout<Result>(
  send: () => Promise<GraphQLReply>,
): Promise<Result | null> {
  const reply = await retryUntil(send, Date.now() + requestMaxMs, isPaymentPending);
  if (reply?.errors) throw new Error(JSON.stringify(reply.errors));
  return (reply?.data?.checkout as Result | undefined) ?? null;
}
