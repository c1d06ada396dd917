import { createRemoteJWKSet, type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { tryAgain, unauthenticated } from '../errors.js';

export type Role = 'CUSTOMER' | 'VENDOR' | 'ADMIN';

/** The user, as stated in an access token signed by the user subgraph. */
export interface Identity {
  readonly id: string;
  readonly role: Role;
  /** the login session of the token */
  readonly sessionId: string;
}

/** The claims and header of every access token; the type `at+jwt` is that of RFC 9068. */
export const tokenRules = {
  algorithm: 'EdDSA',
  type: 'at+jwt',
  issuer: 'holdfast',
  audience: 'holdfast',
} as const;

const cachedTokensMax = 20_000;
const keysTimeoutMs = 2000;
// The shortest time between two fetches of the keys: tokens of a new key may be refused for this long.
const keysCooldownMs = 1000;

/**
 * Verifies the bearer token of an `Authorization` header against the published keys. A valid token
 * stays valid until it expires, so its signature is checked once per process.
 *
 * @returns a function that returns the identity, or null if there is no header
 * @throws `UNAUTHENTICATED` for an invalid or expired token, `TRY_AGAIN` while the keys cannot be fetched
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
    const token = bearer.exec(authorization)?.[1];
    if (!token) throw malformed();
    const hit = known.get(token);
    if (hit && hit.expiresAtMs > Date.now()) return hit.identity;
    const { identity, expiresAtMs } = await verifyToken(token, keys);
    known.set(token, { identity, expiresAtMs });
    return identity;
  };
}

const bearer = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i;
const malformed = () => unauthenticated('The Authorization header must be: Bearer <access token>.');

/** Whether a value has the form of an Authorization header with an access token. */
export const isBearer = (value: unknown): boolean =>
  typeof value === 'string' && bearer.test(value);

/** @throws `UNAUTHENTICATED` for anything but a string or undefined */
export function asHeader(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw malformed();
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
    if (isUnreachable(error)) {
      throw tryAgain('Access tokens cannot be verified at the moment. Please retry.');
    }
    if (error instanceof joseErrors.JWTExpired) {
      throw unauthenticated('The access token has expired. Log in again or refresh the session.');
    }
    throw unauthenticated('The access token is not valid.');
  }
}

/** Whether the keys could not be fetched, as opposed to an invalid token. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof joseErrors.JOSEError)) return true;
  // jose throws its generic error for a response that is not 200, or not a key set.
  return error instanceof joseErrors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC';
}
