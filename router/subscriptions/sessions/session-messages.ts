import type { Redis } from 'ioredis';
import {
  parseSessionEnded,
  sessionEndedChannel,
} from '../../../subgraphs/contracts/session-ended.js';

/**
 * Calls `onEnded` with the sessions that the user subgraph publishes. What is published while there is no
 * connection is lost.
 */
export function receiveEndedSessions(
  redis: Redis,
  onEnded: (sessionIds: readonly string[]) => void,
): void {
  redis.on('ready', () => void redis.subscribe(sessionEndedChannel).catch(() => {}));
  redis.on('message', (_channel, message: string) => {
    const sessionIds = parseSessionEnded(message);
    if (sessionIds.length > 0) onEnded(sessionIds);
  });
}
