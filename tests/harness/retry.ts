import type { GraphQLReply } from './system.js';

const retryDelayMs = 100;
const timeoutMs = 45_000;

type ShouldRetry = (reply: GraphQLReply) => boolean;
const never: ShouldRetry = () => false;
const retriableCodes = ['TRY_AGAIN', 'OUTCOME_UNKNOWN'];
const isRetriable = (reply: GraphQLReply, shouldRetry: ShouldRetry) =>
  retriableCodes.includes(reply.errors?.[0]?.extensions?.code ?? '') || shouldRetry(reply);
/** As long as `Retry-After` says, if it does: hundreds that repeat at once would keep a router busy with refusals. */
function delay(reply: GraphQLReply | null) {
  const seconds = Number(reply?.headers.get('retry-after') ?? 0);
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000 || retryDelayMs));
}

/**
 * Sends a mutation until there is a final reply, as a client does that keeps its idempotency key.
 * TRY_AGAIN, OUTCOME_UNKNOWN and lost connections are retried.
 *
 * @param shouldRetry whether another reply is to be retried, too
 * @returns the reply; null if there is none by `deadlineMs`
 */
export async function retryUntil(
  send: () => Promise<GraphQLReply>,
  deadlineMs: number,
  shouldRetry = never,
): Promise<GraphQLReply | null> {
  while (Date.now() < deadlineMs) {
    const reply = await send().catch(() => null);
    if (reply && !isRetriable(reply, shouldRetry)) return reply;
    await delay(reply);
  }
  return null;
}

/** Whether a payment is still pending because the provider was slow: a retry gets its result. */
export const isPaymentPending = ({ data }: GraphQLReply): boolean =>
  (data?.payOrder ?? data?.checkout)?.__typename === 'PaymentPending';

/**
 * As `retryUntil`, where every service is up, but a busy machine may answer TRY_AGAIN or OUTCOME_UNKNOWN.
 *
 * @returns the last reply, which may be one of these
 */
export async function retry(
  send: () => Promise<GraphQLReply>,
  shouldRetry = never,
): Promise<GraphQLReply> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const reply = await send();
    if (!isRetriable(reply, shouldRetry) || Date.now() > deadlineMs) return reply;
    await delay(reply);
  }
}
