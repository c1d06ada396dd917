import type { EntityManager } from '@mikro-orm/postgresql';
import { sql, sqlCount } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { result } from '../../shared/graphql/refusal.js';
import { lockSessionOfToken } from '../locks.js';
import { User } from '../user.js';
import { endSessions } from './end-sessions.js';
import {
  accessTokenOf,
  hashOfToken,
  issueTokens,
  refreshesMax,
  type SessionContext,
  sessionOf,
} from './open-session.js';
import { InvalidCredentials, type Session } from './session.js';

/**
 * How long a used refresh token may be sent again, in seconds since its first use by PostgreSQL's clock: by
 * a second tab, or by a client that did not receive the answer. Auth0 calls it the reuse interval of refresh
 * token rotation (RFC 9700, 4.14.2), Okta its grace period.
 */
const reuseIntervalSeconds = 30;

/**
 * Exchanges a refresh token for its successor and a new access token. Within the reuse interval, and until
 * the successor is used, the same token gets the same successor. A token that is used again otherwise may be
 * stolen, so its session ends (RFC 9700, 4.14.2). So does one that is 180 days old, or was refreshed 20,000 times.
 */
export async function refreshSession(
  { app, em }: SessionContext,
  refreshToken: string,
): Promise<Session | InvalidCredentials> {
  const hash = hashOfToken(refreshToken);
  const successor = app.successorOf(refreshToken);
  const session = await transact(em, async (tx) => {
    const live = await lockSessionOfToken(tx, hash);
    if (!live) return null;
    const userOf = () => tx.findOneOrFail(User, { id: live.userId });
    if (live.refreshes < refreshesMax && (await useToken(tx, hash))) {
      return issueTokens(app.keys, tx, await userOf(), live.id, successor);
    }
    if (await mayUseAgain(tx, hash, hashOfToken(successor))) {
      const user = await userOf();
      const access = await accessTokenOf(app.keys, user, live.id);
      return sessionOf({ ...access, refreshToken: successor }, user);
    }
    await endSessions(tx, live.userId, { only: live.id });
    return null; // commits: the session has ended
  });
  return (
    session ??
    result(InvalidCredentials, { message: 'This session has ended. Please log in again.' })
  );
}

/** @returns whether the token was valid, which it is no longer */
async function useToken(tx: EntityManager, hash: string): Promise<boolean> {
  const used = await sqlCount(
    tx,
    `update refresh_token set used_at = now()
     where hash = $1 and used_at is null and expires_at > now()`,
    [hash],
  );
  return used === 1;
}

/**
 * @returns whether the token was used within the reuse interval and its successor is still valid. A token
 *   that changePassword invalidated has no successor.
 */
async function mayUseAgain(tx: EntityManager, hash: string, successor: string): Promise<boolean> {
  const valid = await sql(
    tx,
    `select 1 from refresh_token used
     join refresh_token successor on successor.session_id = used.session_id
     where used.hash = $1 and used.used_at > now() - make_interval(secs => $3)
       and successor.hash = $2 and successor.used_at is null and successor.expires_at > now()`,
    [hash, successor, reuseIntervalSeconds],
  );
  return valid.length === 1;
}
