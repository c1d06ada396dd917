import { createRemoteJWKSet, type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { tryAgain, unauthenticated } from '../errors.js';

export type Role = 'CUSTOMER' | 'VENDOR' | 'ADMIN';

/** Who the user is, as the user subgraph signed it. */
export interface Identity {
  readonly id: string;
  readonly role: Role;
  /** the login session that the token is of */
  readonly sessionId: string;
}

/** The claims and header that every access token has; RFC 9068 names the type `at+jwt`. */
export const tokenRules = {
  algorithm: 'EdDSA',
  type: 'at+jwt',
  issuer: 'holdfast',
  audience: 'holdfast',
} as const;

const cachedTokensMax = 20_000;
const keysTimeoutMs = 2000;
// How soon a key that is not known is looked for again: so long a new key may be refused.
const keysCooldownMs = 1000;

/**
 * Verifies the bearer token of an `Authorization` header against the published keys. A token that
 * was good once is good until it expires, so its signature is checked once per process.
 *
 * @returns a function that gives the identity, or null where there is no header
 * @throws `UNAUTHENTICATED` for a bad or expired token, `TRY_AGAIN` while no key can be had
 */
export function createTokenVerifier(jwksUrl: string, headers: Record<string, string>) {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    headers,
    timeoutDuration: keysTimeoutMs,
    cooldownDuration: keysCooldownMs,
  });
  const known = new LRUCache<string, { identity: Identity; expiresAtMs: number }>({
    max: cachedTokensMax,
  });
  return async (authorization: string | undefined): Promise<Identity | null> => {
    if (!authorization) return null;
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1];
    if (!token) throw unauthenticated('The Authorization header must be: Bearer <access token>.');
    const hit = known.get(token);
    if (hit && hit.expiresAtMs > Date.now()) return hit.identity;
    const { identity, expiresAtMs } = await verifyToken(token, keys);
    known.set(token, { identity, expiresAtMs });
    return identity;
  };
}

async function verifyToken(token: string, keys: JWTVerifyGetKey) {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: [tokenRules.algorithm],
      typ: tokenRules.type,
      issuer: tokenRules.issuer,
      audience: tokenRules.audience,
      requiredClaims: ['sub', 'role', 'sid', 'exp'],
    });
    const identity: Identity = {
      id: payload.sub as string,
      role: payload.role as Role,
      sessionId: payload.sid as string,
    };
    return { identity, expiresAtMs: (payload.exp as number) * 1000 };
  } catch (error) {
    if (isUnreachable(error))
      throw tryAgain('The keys that sign access tokens cannot be read now.');
    if (error instanceof joseErrors.JWTExpired) throw unauthenticated('The access token expired.');
    throw unauthenticated('The access token is not valid.');
  }
}

/** Whether the keys could not be had, as opposed to a token that is not good. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof joseErrors.JOSEError)) return true;
  // jose's plain error is what it throws for an answer that is not 200 or no key set.
  return error instanceof joseErrors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC';
}
