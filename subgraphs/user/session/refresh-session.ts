import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlCount } from '../../shared/database/sql.js';
import { result } from '../../shared/graphql/refusal.js';
import { type LiveSession, lockSessionOfToken } from '../locks.js';
import { User } from '../user.js';
import { endSessions } from './end-sessions.js';
import { hashOfToken, issueTokens, type SessionContext } from './open-session.js';
import { InvalidCredentials, type Session } from './session.js';

/**
 * Exchanges a refresh token for its successor and a new access token. A token is valid once. One that is
 * used again may be stolen, so its session ends (RFC 9700, 4.14.2).
 */
export async function refreshSession(
  { app, em }: SessionContext,
  refreshToken: string,
): Promise<Session | InvalidCredentials> {
  const session = await em.fork().transactional(async (tx) => {
    const live = await consumeRefreshToken(tx, hashOfToken(refreshToken));
    if (!live) return null; // commits: the session may have ended
    const user = await tx.findOneOrFail(User, { id: live.userId });
    return issueTokens(app.keys, tx, user, live.id);
  });
  return (
    session ??
    result(InvalidCredentials, { message: 'This session has ended. Please log in again.' })
  );
}

/** @returns the token's session, or null if either is not valid; a token that was used before ends it */
async function consumeRefreshToken(tx: EntityManager, hash: string): Promise<LiveSession | null> {
  const live = await lockSessionOfToken(tx, hash);
  if (!live) return null;
  const used = await sqlCount(
    tx,
    `update refresh_token set used_at = now()
     where hash = $1 and used_at is null and expires_at > now()`,
    [hash],
  );
  if (used === 1) return live;
  await endSessions(tx, live.userId, { only: live.id });
  return null;
}
