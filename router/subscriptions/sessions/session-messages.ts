import type { Redis } from 'ioredis';
import {
  type ChangedSessions,
  parseSessionsMessage,
  sessionEndedChannel,
} from '../../../subgraphs/contracts/session-ended.js';
import { keepSubscribed } from '../../../subgraphs/shared/runtime/redis.js';

/**
 * Calls `onChanged` with the sessions that the user subgraph publishes. What is published while there is no
 * connection is lost.
 */
export function receiveEndedSessions(
  redis: Redis,
  onChanged: (changed: ChangedSessions) => void,
): void {
  keepSubscribed(redis, sessionEndedChannel);
  redis.on('message', (_channel, message: string) => {
    const changed = parseSessionsMessage(message);
    if (changed) onChanged(changed);
  });
}
