import type { ServerResponse } from 'node:http';
import type { ConsumeLimit } from './rate-limits.js';

/** Points of `ip` for a webhook that was refused: 30 forged ones use up the standard limit. */
export const refusedWebhookPoints = 20;

/**
 * Forwards a webhook. An address is not limited by webhooks that are accepted, however many they are: a
 * provider sends them all from a few addresses. One that was refused, as it is forged or too large, counts
 * for `refusedWebhookPoints` requests; one whose sender did not wait for the answer for one.
 *
 * @throws `RATE_LIMITED` for an address that this router knows to be over its limit, and what `forward` throws
 */
export async function forwardWebhook(
  consumeLimit: ConsumeLimit,
  address: string,
  response: Pick<ServerResponse, 'headersSent' | 'statusCode'>,
  forward: () => Promise<void> | undefined,
): Promise<void> {
  await consumeLimit('ip', address, 0);
  await forward();
  const points = pointsOf(response);
  // The webhook has been answered: being over the limit shows at the next one.
  if (points > 0) await consumeLimit('ip', address, points).catch(() => {});
}

function pointsOf({ headersSent, statusCode }: Pick<ServerResponse, 'headersSent' | 'statusCode'>) {
  if (!headersSent) return 1;
  return statusCode >= 400 && statusCode < 500 ? refusedWebhookPoints : 0;
}
