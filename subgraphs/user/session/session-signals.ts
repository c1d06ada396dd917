import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import {
  type ChangedSessions,
  endedSessionsMax,
  type SessionChange,
  sessionEndedChannel,
  sessionsMessage,
} from '../../contracts/session-ended.js';
import { createCommitSignal } from '../../shared/database/commit-signal.js';

const sessionsEnded = createCommitSignal();
const sessionsChanged = createCommitSignal<ChangedSessions>();

/** Marks sessions whose streams must be closed after the commit of `tx`. */
export const markEnded = (tx: EntityManager, sessionIds: readonly string[]) =>
  sessionsEnded.mark(tx, sessionIds);

/** Marks sessions whose user gets another role with the commit of `tx`. */
export const markRoleChanged = (tx: EntityManager, changed: ChangedSessions) =>
  sessionsChanged.mark(tx, [changed]);

/**
 * Publishes the marked sessions of each transaction over Redis, in one message (of each 1,000 sessions),
 * without waiting. What is lost is closed when its access token expires.
 */
export function publishEndedSessions(orm: MikroORM, redis: Redis): void {
  const publish = (change: SessionChange, all: readonly string[]) => {
    for (let at = 0; at < all.length; at += endedSessionsMax) {
      const sessionIds = all.slice(at, at + endedSessionsMax);
      redis.publish(sessionEndedChannel, sessionsMessage({ sessionIds, change })).catch(() => {});
    }
  };
  sessionsEnded.listen(orm, (sessionIds) => publish({ kind: 'ended' }, sessionIds));
  sessionsChanged.listen(orm, (changed) => {
    for (const { change, sessionIds } of changed) publish(change, sessionIds);
  });
}
