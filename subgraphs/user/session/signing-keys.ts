import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { tokenRules } from '../../shared/auth/tokens.js';
import { ConfigError } from '../../shared/config.js';

/** The keys of access tokens: the newest signs, all are published. */
export interface SigningKeys {
  readonly newest: { readonly keyId: string; readonly privateKey: CryptoKey };
  readonly published: { readonly keys: JWK[] };
}

/** @param text a JSON Web Key Set of private Ed25519 keys, the newest first, or `generate` */
export async function readSigningKeys(text: string): Promise<SigningKeys> {
  const jwks = text === 'generate' ? [await generateSigningKey()] : parseKeys(text);
  const [first] = jwks;
  if (!first) throw new ConfigError(['AUTH_SIGNING_KEYS contains no key']);
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

function parseKeys(text: string): JWK[] {
  try {
    const { keys } = JSON.parse(text) as { keys: JWK[] };
    const ids = new Set(keys.map(({ kid }) => kid));
    const isValid = (key: JWK) => key.kty === 'OKP' && key.crv === 'Ed25519' && key.d && key.kid;
    if (keys.every(isValid) && ids.size === keys.length) return keys;
  } catch {
    // the error below says what is expected
  }
  throw new ConfigError([
    'AUTH_SIGNING_KEYS must be {"keys": [private Ed25519 keys, each with its own kid]}',
  ]);
}
