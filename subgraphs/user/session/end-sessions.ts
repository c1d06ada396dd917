import { identityOf } from '../../shared/auth.js';
import { type EntityManager, sql, sqlCount } from '../../shared/database.js';
import type { UserContext } from '../context.js';

const keepEndedDays = 30;
const pruneMax = 5000;

/**
 * Ends the session of the access token, or all of its user's. No refresh token of theirs is taken
 * any more; access tokens run out within their 15 minutes.
 */
export async function logout(context: UserContext, everywhere: boolean): Promise<boolean> {
  const { id, sessionId } = identityOf(context);
  await context.em.fork().transactional(async (tx) => {
    await lockUser(tx, id);
    await sqlCount(
      tx,
      `update login_session set ended_at = now(), updated_at = now()
       where user_id = $1 and ended_at is null and ($2 or id = $3)`,
      [id, everywhere, sessionId],
    );
  });
  return true;
}

/** Whoever changes several sessions of a user locks the user first, so that none waits crosswise. */
export async function lockUser(tx: EntityManager, userId: string): Promise<void> {
  await sql(tx, 'select 1 from user_account where id = $1 for no key update', [userId]);
}

/**
 * Ends all sessions of a user but one, whose refresh tokens are used up, so that it gets new ones.
 * The user is locked.
 */
export async function endOtherSessions(tx: EntityManager, userId: string, keepId: string) {
  await sqlCount(
    tx,
    `update login_session set ended_at = now(), updated_at = now()
     where user_id = $1 and ended_at is null and id <> $2`,
    [userId, keepId],
  );
  await sqlCount(
    tx,
    'update refresh_token set used_at = now() where session_id = $1 and used_at is null',
    [keepId],
  );
}

/** Forgets refresh tokens that are too old, and sessions that ended, or have no token any more. */
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
