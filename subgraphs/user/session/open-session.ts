import { createHash, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { tokenRules } from '../../shared/auth.js';
import { type EntityManager, sql } from '../../shared/database.js';
import { newId } from '../../shared/ids.js';
import { insertRows } from '../../shared/insert-rows.js';
import { result } from '../../shared/refusal.js';
import { markProven } from '../../shared/rights.js';
import type { User } from '../account/user.js';
import { LoginSession, RefreshToken } from './login-session.js';
import { Session } from './session.js';
import type { SigningKeys } from './signing-keys.js';

const accessTokenMinutes = 15;
const refreshTokenDays = 30;
const refreshTokenBytes = 32;

/** A refresh token as it is kept. */
export const hashOfToken = (token: string) =>
  createHash('sha256').update(token).digest('base64url');

/**
 * Logs in a user who has given their password: a session of its own, with its first tokens.
 *
 * @returns null when the password or the identifiers have changed since `user` was read: what was
 *   proven with the former ones is worth nothing any more
 */
export async function openSession(
  keys: SigningKeys,
  em: EntityManager,
  user: User,
): Promise<Session | null> {
  return em.fork().transactional(async (tx) => {
    const same = await sql(
      tx,
      `select 1 from user_account
       where id = $1 and password_hash is not distinct from $2
         and email is not distinct from $3 and phone is not distinct from $4 for share`,
      [user.id, user.passwordHash, user.email, user.phone],
    );
    return same.length === 0 ? null : beginSession(keys, tx, user);
  });
}

/** A new session with its first tokens, in the transaction of `tx`. */
export async function beginSession(
  keys: SigningKeys,
  tx: EntityManager,
  user: User,
): Promise<Session> {
  const sessionId = newId();
  await insertRows(tx, LoginSession, [{ id: sessionId, userId: user.id }]);
  return issueTokens(keys, tx, user, sessionId);
}

/** The next tokens of a session, in the transaction of `tx`. */
export async function issueTokens(
  keys: SigningKeys,
  tx: EntityManager,
  user: User,
  sessionId: string,
): Promise<Session> {
  const refreshToken = randomBytes(refreshTokenBytes).toString('base64url');
  const refreshExpiresAt = new Date(Date.now() + refreshTokenDays * 24 * 3_600_000);
  const row = { hash: hashOfToken(refreshToken), sessionId, expiresAt: refreshExpiresAt };
  await insertRows(tx, RefreshToken, [row]);
  const accessTokenExpiresAt = new Date(Date.now() + accessTokenMinutes * 60_000);
  return result(Session, {
    accessToken: await signAccessToken(keys, user, sessionId, accessTokenExpiresAt),
    accessTokenExpiresAt,
    refreshToken,
    user: markProven(user),
  });
}

function signAccessToken(keys: SigningKeys, user: User, sessionId: string, expiresAt: Date) {
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
