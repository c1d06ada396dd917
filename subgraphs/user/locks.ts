import type { EntityManager } from '@mikro-orm/postgresql';
import type { Identifier } from '../shared/auth/identifier.js';
import { sql } from '../shared/database/sql.js';
import { tryAgain, unauthenticated } from '../shared/errors.js';
import { whereIdentifier } from './credentials/identifier.js';
import { User } from './user.js';

/**
 * Lock order of the user database. A transaction skips what it does not need, and never goes back:
 *
 * 0. the row of the request’s idempotency key: `Once.begin`;
 * 1. accounts in the order of their ids, `for no key update`: `lockUsers`, `lockOwnerAndCaller`.
 *    A login takes its account `for share` in the statement that opens the session (open-session.ts);
 * 2. one session, `for update`: `lockIfLive`, `requireLiveSession`, `lockSessionOfToken`;
 * 3. other sessions, refresh tokens and addresses, by the statements that change them.
 *
 * Whatever changes an account's password, identifiers or role, several of its sessions, or its default
 * address, locks the account first. The pruner skips rows that are locked and so waits for nobody.
 */

/** Locks accounts; ids that do not exist are ignored. */
export async function lockUsers(tx: EntityManager, ids: readonly string[]): Promise<void> {
  await sql(
    tx,
    'select 1 from user_account where id = any($1::uuid[]) order by id for no key update',
    [ids],
  );
}

/**
 * Locks, then reads, the account that has an identifier and the caller's account.
 *
 * @throws `TRY_AGAIN` where the identifier moved to another account meanwhile
 */
export async function lockOwnerAndCaller(
  tx: EntityManager,
  identifier: Identifier,
  callerId?: string,
): Promise<readonly [owner: User | null, caller: User | null]> {
  const where = whereIdentifier(identifier);
  const before = await tx.findOne(User, where);
  await lockUsers(
    tx,
    [before?.id, callerId].filter((id) => id !== undefined),
  );
  const owner = await tx.findOne(User, where, { refresh: true });
  if (owner?.id !== before?.id) {
    throw tryAgain('This account is being changed by another request. Please try again.');
  }
  const caller = callerId ? await tx.findOne(User, { id: callerId }, { refresh: true }) : null;
  return [owner, caller];
}

/** Locks a session. @returns whether it has not ended */
export async function lockIfLive(tx: EntityManager, sessionId: string): Promise<boolean> {
  const live = await sql(
    tx,
    'select 1 from login_session where id = $1 and ended_at is null for update',
    [sessionId],
  );
  return live.length > 0;
}

export const sessionHasEnded = () =>
  unauthenticated('This session has ended. Please log in again.');

/** Locks a session. @throws `UNAUTHENTICATED` when it has ended */
export async function requireLiveSession(tx: EntityManager, sessionId: string): Promise<void> {
  if (!(await lockIfLive(tx, sessionId))) throw sessionHasEnded();
}

export interface LiveSession {
  readonly id: string;
  readonly userId: string;
  /** how many refresh tokens were issued after the first */
  readonly refreshes: number;
}

/** Locks the session of a refresh token; null when there is none, or it has ended. */
export async function lockSessionOfToken(
  tx: EntityManager,
  tokenHash: string,
): Promise<LiveSession | null> {
  const [live] = await sql<LiveSession>(
    tx,
    `select s.id, s.user_id as "userId", s.refreshes from login_session s
     join refresh_token t on t.session_id = s.id
     where t.hash = $1 and s.ended_at is null for update of s`,
    [tokenHash],
  );
  return live ?? null;
}
