import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import { sqlCount } from '../../shared/database/sql.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { lockUsers } from '../locks.js';

const keepEndedDays = 30;
const pruneMax = 5000;

/**
 * Ends the session of the access token, or all sessions of its user. Their refresh tokens are refused from
 * now on; access tokens stay valid until they expire, 15 minutes at most.
 */
export async function logout(context: SubgraphContext, everywhere: boolean): Promise<boolean> {
  const { id, sessionId } = identityOf(context);
  await context.em.fork().transactional(async (tx) => {
    await lockUsers(tx, [id]);
    await endSessions(tx, id, everywhere ? {} : { only: sessionId });
  });
  return true;
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

/** Invalidates the refresh tokens of a session, which then continues with new ones. */
export async function invalidateRefreshTokens(tx: EntityManager, sessionId: string): Promise<void> {
  await sqlCount(
    tx,
    'update refresh_token set used_at = now() where session_id = $1 and used_at is null',
    [sessionId],
  );
}

/** Deletes refresh tokens that expired, and sessions that ended 30 days ago or have no token left. */
export async function pruneSessions(em: EntityManager): Promise<void> {
  await sqlCount(
    em,
    `delete from refresh_token where hash in (
       select hash from refresh_token where expires_at < now() limit $1 for update skip locked)`,
    [pruneMax],
  );
  await sqlCount(
    em,
    `delete from login_session where id in (
       select s.id from login_session s
       where s.ended_at < now() - $1 * interval '1 day'
         or not exists (select 1 from refresh_token t where t.session_id = s.id)
       limit $2 for update skip locked)`,
    [keepEndedDays, pruneMax],
  );
}
