import type { GraphQLReply } from './system.js';

const againAfterMs = 100;
const patienceMs = 45_000;

/**
 * Sends a mutation until it is answered, as a client does that keeps its key; null where that does not
 * happen in time.
 *
 * @param isUnsettled whether an answer is one with which a client asks again
 */
export async function insist(
  send: () => Promise<GraphQLReply>,
  untilMs: number,
  isUnsettled: (reply: GraphQLReply) => boolean = () => false,
): Promise<GraphQLReply | null> {
  while (Date.now() < untilMs) {
    const reply = await send().catch(() => null);
    const code = reply?.errors?.[0]?.extensions?.code;
    if (reply && code !== 'TRY_AGAIN' && !isUnsettled(reply)) return reply;
    await new Promise((resolve) => setTimeout(resolve, againAfterMs));
  }
  return null;
}

/** As `insist`, for a test that goes on with the answer: with the last one, where none settles it. */
export const settled = async (
  send: () => Promise<GraphQLReply>,
  isUnsettled?: (reply: GraphQLReply) => boolean,
): Promise<GraphQLReply> => (await insist(send, Date.now() + patienceMs, isUnsettled)) ?? send();
