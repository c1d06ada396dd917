import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import type { Role } from '../../shared/auth/tokens.js';
import { sql, sqlCount } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { lockIfLive, lockUsers } from '../locks.js';
import { markEnded, markRoleChanged } from './session-signals.js';

/**
 * Ends the session of the access token, or all sessions of its user. Their refresh tokens are refused from
 * now on; access tokens stay valid until they expire, 15 minutes at most. An ended session ends no others.
 */
export function logout(context: SubgraphContext, everywhere: boolean): Promise<boolean> {
  return endOwnSessions(context, everywhere ? {} : { only: identityOf(context).sessionId });
}

/**
 * As `logout`, for one session of the user of the access token. The answer is the same for a session that has
 * ended, is another user's or does not exist, so it shows nothing about sessions of others. It is also the same for a
 * caller whose own session has ended. Admins end their own sessions alone, too.
 */
export function endSession(context: SubgraphContext, sessionId: string): Promise<boolean> {
  return endOwnSessions(context, { only: sessionId });
}

async function endOwnSessions(
  context: SubgraphContext,
  which: { readonly only?: string },
): Promise<boolean> {
  const { id, sessionId } = identityOf(context);
  await transact(context.em, async (tx) => {
    await lockUsers(tx, [id]);
    // A token whose session was ended may be in the hands of whoever the user locked out.
    if (await lockIfLive(tx, sessionId)) await endSessions(tx, id, which);
  });
  return true;
}

/** Ends the sessions of a user: all of them, only one, or all except one. Their streams are closed. */
export async function endSessions(
  tx: EntityManager,
  userId: string,
  { only, except }: { only?: string; except?: string } = {},
): Promise<void> {
  const ended = await sql<{ id: string }>(
    tx,
    `update login_session set ended_at = now(), updated_at = now()
     where user_id = $1 and ended_at is null
       and ($2::uuid is null or id = $2) and ($3::uuid is null or id <> $3)
     returning id`,
    [userId, only ?? null, except ?? null],
  );
  markEnded(
    tx,
    ended.map(({ id }) => id),
  );
}

/**
 * Closes the streams of a user whose access tokens state another role. The user is locked: of two changes of
 * the role the later one has the later time.
 */
export async function closeStreams(tx: EntityManager, userId: string, role: Role): Promise<void> {
  const live = await sql<{ id: string; atMs: number }>(
    tx,
    `select id, extract(epoch from clock_timestamp())::float8 * 1000 as "atMs"
     from login_session where user_id = $1 and ended_at is null`,
    [userId],
  );
  const [first] = live;
  if (!first) return;
  const change = { kind: 'role', role, atMs: first.atMs } as const;
  markRoleChanged(tx, { sessionIds: live.map(({ id }) => id), change });
}

/** Invalidates the refresh tokens of a session, which then continues with new ones. */
export async function invalidateRefreshTokens(tx: EntityManager, sessionId: string): Promise<void> {
  await sqlCount(
    tx,
    'update refresh_token set used_at = now() where session_id = $1 and used_at is null',
    [sessionId],
  );
}
