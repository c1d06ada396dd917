import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import {
  endedSessionsMax,
  sessionEndedChannel,
  sessionEndedMessage,
} from '../../contracts/session-ended.js';
import { createCommitSignal } from '../../shared/database/commit-signal.js';

const sessionsEnded = createCommitSignal();

/** Marks sessions whose streams must be closed after the commit of `tx`. */
export const markEnded = (tx: EntityManager, sessionIds: readonly string[]) =>
  sessionsEnded.mark(tx, sessionIds);

/**
 * Publishes the marked sessions of each transaction over Redis, in one message (of each 1,000 sessions),
 * without waiting. What is lost is closed when its access token expires.
 */
export function publishEndedSessions(orm: MikroORM, redis: Redis): void {
  sessionsEnded.listen(orm, (sessionIds) => {
    for (let at = 0; at < sessionIds.length; at += endedSessionsMax) {
      const message = sessionEndedMessage(sessionIds.slice(at, at + endedSessionsMax));
      redis.publish(sessionEndedChannel, message).catch(() => {});
    }
  });
}
