import { createHash, randomBytes } from 'node:crypto';
import type { EntityDictionary } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { SignJWT } from 'jose';
import type { SigningKeys } from '../../shared/auth/signing-keys.js';
import { tokenRules } from '../../shared/auth/tokens.js';
import { sql } from '../../shared/database/sql.js';
import { runStatement } from '../../shared/database/transact.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { result } from '../../shared/graphql/refusal.js';
import { newId } from '../../shared/ids.js';
import { markAuthenticated } from '../../shared/rights/rights.js';
import type { User } from '../user.js';
import { Session } from './session.js';
import type { SuccessorOf } from './successor.js';

/** The parts of the app that open sessions. */
export type SessionContext = SubgraphContext<{
  readonly keys: SigningKeys;
  readonly successorOf: SuccessorOf;
}>;

const accessTokenMinutes = 15;
const refreshTokenDays = 30;
// Used refresh tokens are kept as long as their session: 20,000 is one every 13 minutes for 180 days.
const sessionDays = 180;
export const refreshesMax = 20_000;
const refreshTokenBytes = 32;

const randomToken = () => randomBytes(refreshTokenBytes).toString('base64url');

/** The stored form of a refresh token. */
export const hashOfToken = (token: string) =>
  createHash('sha256').update(token).digest('base64url');

/**
 * Logs in a user who has proven their identity: opens a session and issues its first tokens.
 *
 * @returns null when the password, the identifiers or the role have changed since `user` was read, since
 *   the proof was made with the former ones
 */
export async function openSession(
  keys: SigningKeys,
  em: EntityManager,
  user: User,
): Promise<Session | null> {
  const account = `select * from user_account
    where id = $1 and password_hash is not distinct from $2
      and email is not distinct from $3 and phone is not distinct from $4 and role = $5
    for share`;
  const values = [user.id, user.passwordHash, user.email, user.phone, user.role];
  const opened = await openSessionOf(keys, em, user, { account, values });
  return opened && sessionOf(opened.tokens, user);
}

/**
 * As `openSession`, for the account that `account` returns. It is one statement, since the round trips of a
 * transaction would be a good part of the cost of a login (docs/adr/0010).
 *
 * @param account SQL that returns the account's row, with parameters from `$1` on
 * @returns null where it returns none
 */
export async function openSessionOf(
  keys: SigningKeys,
  em: EntityManager,
  who: Pick<User, 'id' | 'role'>,
  { account, values }: { readonly account: string; readonly values: readonly unknown[] },
): Promise<{ readonly row: EntityDictionary<User>; readonly tokens: NextTokens } | null> {
  const sessionId = newId();
  const tokens = await nextTokens(keys, who, sessionId, randomToken());
  const at = values.length;
  const insert = () =>
    sql<EntityDictionary<User>>(
      em,
      `with account as (${account}), opened as (
       insert into login_session (id, user_id, expires_at)
       select $${at + 1}, id, $${at + 3} from account returning id
     ), issued as (
       insert into refresh_token (hash, session_id, expires_at)
       select $${at + 2}, id, $${at + 3} from opened
     )
     select * from account`,
      [...values, sessionId, tokens.hash, tokens.expiresAt],
    );
  const [row] = await runStatement(em, insert);
  return row ? { row, tokens } : null;
}

/**
 * Issues the next tokens of a session, in the transaction of `tx`.
 *
 * @param refreshToken random unless given
 */
export async function issueTokens(
  keys: SigningKeys,
  tx: EntityManager,
  user: User,
  sessionId: string,
  refreshToken = randomToken(),
): Promise<Session> {
  const tokens = await nextTokens(keys, user, sessionId, refreshToken);
  const { hash, expiresAt } = tokens;
  await sql(
    tx,
    `with extended as (
       update login_session set refreshes = refreshes + 1, updated_at = now(),
         expires_at = least($3, created_at + $4 * interval '1 day')
       where id = $2 returning expires_at
     )
     insert into refresh_token (hash, session_id, expires_at) select $1, $2, expires_at from extended`,
    [hash, sessionId, expiresAt, sessionDays],
  );
  return sessionOf(tokens, user);
}

export const sessionOf = (
  { accessToken, accessTokenExpiresAt, refreshToken }: SessionTokens,
  user: User,
) =>
  result(Session, {
    accessToken,
    accessTokenExpiresAt,
    refreshToken,
    user: markAuthenticated(user),
  });

interface SessionTokens {
  readonly accessToken: string;
  readonly accessTokenExpiresAt: Date;
  readonly refreshToken: string;
}

interface NextTokens extends SessionTokens {
  /** the stored form of the refresh token, and its expiry */
  readonly hash: string;
  readonly expiresAt: Date;
}

async function nextTokens(
  keys: SigningKeys,
  who: Pick<User, 'id' | 'role'>,
  sessionId: string,
  refreshToken: string,
): Promise<NextTokens> {
  return {
    ...(await accessTokenOf(keys, who, sessionId)),
    refreshToken,
    hash: hashOfToken(refreshToken),
    expiresAt: new Date(Date.now() + refreshTokenDays * 24 * 3_600_000),
  };
}

/** Signs an access token of an existing session. */
export async function accessTokenOf(
  keys: SigningKeys,
  who: Pick<User, 'id' | 'role'>,
  sessionId: string,
) {
  const accessTokenExpiresAt = new Date(Date.now() + accessTokenMinutes * 60_000);
  const accessToken = await signAccessToken(keys, who, sessionId, accessTokenExpiresAt);
  return { accessToken, accessTokenExpiresAt };
}

function signAccessToken(
  keys: SigningKeys,
  user: Pick<User, 'id' | 'role'>,
  sessionId: string,
  expiresAt: Date,
) {
  return new SignJWT({ role: user.role, sid: sessionId })
    .setProtectedHeader({
      alg: tokenRules.algorithm,
      typ: tokenRules.type,
      kid: keys.newest.keyId,
    })
    .setSubject(user.id)
    .setIssuer(tokenRules.issuer)
    .setAudience(tokenRules.audience)
    .setIssuedAt()
    .setExpirationTime(expiresAt)
    .sign(keys.newest.privateKey);
}
