import type { GraphQLReply } from './system.js';

const againAfterMs = 100;
const patienceMs = 45_000;

type Judge = (reply: GraphQLReply) => boolean;
const nothing: Judge = () => false;
const sendsAgain = (reply: GraphQLReply, isUnsettled: Judge) =>
  reply.errors?.[0]?.extensions?.code === 'TRY_AGAIN' || isUnsettled(reply);
const aMoment = () => new Promise((resolve) => setTimeout(resolve, againAfterMs));

/**
 * Sends a mutation until it is answered, as a client does that keeps its key, though connections are
 * lost; null where that does not happen in time.
 *
 * @param isUnsettled whether an answer is one with which a client asks again
 */
export async function insist(
  send: () => Promise<GraphQLReply>,
  untilMs: number,
  isUnsettled = nothing,
): Promise<GraphQLReply | null> {
  while (Date.now() < untilMs) {
    const reply = await send().catch(() => null);
    if (reply && !sendsAgain(reply, isUnsettled)) return reply;
    await aMoment();
  }
  return null;
}

/** A provider that was slow: what became of the payment is told to who asks again. */
export const isPaymentPending = ({ data }: GraphQLReply): boolean =>
  (data?.payOrder ?? data?.checkout)?.__typename === 'PaymentPending';

/**
 * For what may be sent again, where nothing is away: a busy machine says TRY_AGAIN.
 *
 * @returns the last answer, though it be TRY_AGAIN
 */
export async function settled(
  send: () => Promise<GraphQLReply>,
  isUnsettled = nothing,
): Promise<GraphQLReply> {
  const untilMs = Date.now() + patienceMs;
  for (;;) {
    const reply = await send();
    if (!sendsAgain(reply, isUnsettled) || Date.now() > untilMs) return reply;
    await aMoment();
  }
}
