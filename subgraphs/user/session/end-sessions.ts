import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import { sql, sqlCount } from '../../shared/database/sql.js';
import { unauthenticated } from '../../shared/errors.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';

/**
 * Ends the session of the access token, or all of its user's. No refresh token of theirs is taken
 * any more; access tokens run out within their 15 minutes.
 */
export async function logout(context: SubgraphContext, everywhere: boolean): Promise<boolean> {
  const { id, sessionId } = identityOf(context);
  await context.em.fork().transactional(async (tx) => {
    await lockUsers(tx, [id]);
    await endSessions(tx, id, everywhere ? {} : { only: sessionId });
  });
  return true;
}

/**
 * Whoever changes what users log in with, or several sessions of one, locks the users first, in the
 * order of their ids, so that none waits crosswise.
 */
export async function lockUsers(tx: EntityManager, ids: readonly string[]): Promise<void> {
  await sql(
    tx,
    'select 1 from user_account where id = any($1::uuid[]) order by id for no key update',
    [ids],
  );
}

/** @throws `UNAUTHENTICATED` when the session of an access token has ended */
export async function requireLiveSession(tx: EntityManager, sessionId: string): Promise<void> {
  const live = await sql(
    tx,
    'select 1 from login_session where id = $1 and ended_at is null for update',
    [sessionId],
  );
  if (live.length === 0) throw unauthenticated('This session has ended: log in again.');
}

/** Ends the sessions of a user: all of them, only one, or all except one. */
export async function endSessions(
  tx: EntityManager,
  userId: string,
  { only, except }: { only?: string; except?: string } = {},
): Promise<void> {
  await sqlCount(
    tx,
    `update login_session set ended_at = now(), updated_at = now()
     where user_id = $1 and ended_at is null
       and ($2::uuid is null or id = $2) and ($3::uuid is null or id <> $3)`,
    [userId, only ?? null, except ?? null],
  );
}

/** No refresh token of the session is good any more, so that it goes on with new ones. */
export async function invalidateRefreshTokens(tx: EntityManager, sessionId: string): Promise<void> {
  await sqlCount(
    tx,
    'update refresh_token set used_at = now() where session_id = $1 and used_at is null',
    [sessionId],
  );
}
