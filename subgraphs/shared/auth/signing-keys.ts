import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { ConfigError } from '../config.js';
import { tokenRules } from './tokens.js';

/** Keys of signatures: the newest signs, all are published. */
export interface SigningKeys {
  readonly newest: { readonly keyId: string; readonly privateKey: CryptoKey };
  readonly published: { readonly keys: JWK[] };
}

/**
 * @param text a JSON Web Key Set of private Ed25519 keys, the newest first, or `generate`
 * @param variable of the keys, for the error
 * @throws ConfigError
 */
export async function readSigningKeys(
  text: string,
  variable = 'AUTH_SIGNING_KEYS',
): Promise<SigningKeys> {
  const jwks = text === 'generate' ? [await generateSigningKey()] : parseKeys(text, variable);
  const [first] = jwks;
  if (!first) throw new ConfigError([`${variable} contains no key`]);
  const privateKey = (await importJWK(first, tokenRules.algorithm)) as CryptoKey;
  return {
    newest: { keyId: first.kid as string, privateKey },
    published: { keys: jwks.map(({ d: _, ...publicPart }) => publicPart) },
  };
}

/** A new private key, as a JSON Web Key with a `kid`. */
export async function generateSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(tokenRules.algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: (jwk.x as string).slice(0, 16), alg: tokenRules.algorithm, use: 'sig' };
}

function parseKeys(text: string, variable: string): JWK[] {
  try {
    const { keys } = JSON.parse(text) as { keys: JWK[] };
    const ids = new Set(keys.map(({ kid }) => kid));
    const isValid = (key: JWK) => key.kty === 'OKP' && key.crv === 'Ed25519' && key.d && key.kid;
    if (keys.every(isValid) && ids.size === keys.length) return keys;
  } catch {
    // the error below says what is expected
  }
  throw new ConfigError([
    `${variable} must be {"keys": [private Ed25519 keys, each with its own kid]}`,
  ]);
}
