import { createHmac, hkdfSync } from 'node:crypto';

const keyBytes = 32;

/** Derives the refresh token that replaces a used one. The same token always has the same successor. */
export type SuccessorOf = (usedToken: string) => string;

/**
 * Since a successor can be derived again, a used token that is sent again gets the same one, although only
 * hashes are stored. A successor is an HMAC-SHA256 of the used token, 256 bits as base64url. Deriving it
 * needs both the used token, which is as random as the first token of the session, and the key.
 *
 * The key is derived with HKDF (RFC 5869), so that it is independent of the other use of the secret. All
 * processes of the subgraph must have the same secret. After the secret has changed, a token that was used
 * before is answered as one without a successor: used again, it ends its session, also within the interval.
 * Tokens that were not used yet stay valid.
 *
 * @param secret `OTP_SECRET`. `AUTH_SIGNING_KEYS` is no alternative: `generate` makes a key for each process
 */
export function createSuccessorOf(secret: string): SuccessorOf {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'refresh-token successor', keyBytes));
  return (usedToken) => createHmac('sha256', key).update(usedToken).digest('base64url');
}
