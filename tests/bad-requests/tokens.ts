import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose';

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

/**
 * Tokens that must be refused: what is wrong → token.
 *
 * @param good a valid token
 * @param signingKeys the keys that sign tokens, as a JSON Web Key Set
 */
export async function badTokens(good: string, signingKeys: string): Promise<Map<string, string>> {
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload;
  const jwk = JSON.parse(signingKeys).keys[0];
  const signingKey = await importJWK(jwk, 'EdDSA');
  const foreign = (await generateKeyPair('EdDSA')).privateKey;
  const typ = 'at+jwt';
  const sign = (changes: JWTPayload, head: object = {}, key = signingKey) =>
    new SignJWT({ ...claims, ...changes })
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: jwk.kid, ...head })
      .sign(key);
  const unsigned = (head: object, body: object = claims, end = '') =>
    `${encode(head)}.${encode(body)}.${end}`;
  const publicKey = Buffer.from(jwk.x, 'base64url');
  const hmac = `${encode({ alg: 'HS256', typ, kid: jwk.kid })}.${payload}`;
  const rs256 = `${encode({ alg: 'RS256', typ, kid: jwk.kid })}.${payload}`;
  const now = Math.floor(Date.now() / 1000);
  const without = (name: string) => {
    const { [name]: _, ...rest } = claims;
    return new SignJWT(rest)
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: jwk.kid })
      .sign(signingKey);
  };

  return new Map([
    ['nonsense', 'nonsense'],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${good}.${signature}`],
    ['no signature', `${header}.${payload}.`],
    ['half a signature', `${header}.${payload}.${signature.slice(0, 40)}`],
    ['a signature changed', `${header}.${payload}.${signature.slice(0, -4)}AAAA`],
    [
      'a role changed',
      `${header}.${encode({ ...claims, role: claims.role === 'ADMIN' ? 'VENDOR' : 'ADMIN' })}.${signature}`,
    ],
    ['another user', `${header}.${encode({ ...claims, sub: crypto.randomUUID() })}.${signature}`],
    ['alg none', unsigned({ alg: 'none', typ })],
    ['alg None', unsigned({ alg: 'None', typ })],
    ['alg nOnE with a signature', unsigned({ alg: 'nOnE', typ }, claims, signature)],
    ['no alg', unsigned({ typ }, claims, signature)],
    [
      'HS256 with the public key',
      `${hmac}.${createHmac('sha256', publicKey).update(hmac).digest('base64url')}`,
    ],
    ['RS256', `${rs256}.${createSign('sha256').update(rs256).sign(rsa).toString('base64url')}`],
    ['signed by another', await sign({ role: 'ADMIN' }, {}, foreign)],
    [
      'signed by another, with its key in the header',
      await sign({}, { jwk: { kty: 'OKP', crv: 'Ed25519', x: jwk.x } }, foreign),
    ],
    ['a key from another URL', await sign({}, { jku: 'http://127.0.0.1:9/keys' }, foreign)],
    ['a key that is a path', await sign({}, { kid: '../../../dev/null' }, foreign)],
    ['a key that is SQL', await sign({}, { kid: "x' union select 'k" }, foreign)],
    ['expired', await sign({ exp: now - 60 })],
    ['expired a second ago', await sign({ exp: now - 1 })],
    ['not valid yet', await sign({ nbf: now + 3600 })],
    ['of another issuer', await sign({ iss: 'somebody' })],
    ['for another audience', await sign({ aud: 'another' })],
    ['of another type', await sign({}, { typ: 'JWT' })],
    ['of no type', await sign({}, { typ: undefined as never })],
    ['without an expiry', await without('exp')],
    ['without a user', await without('sub')],
    ['without a role', await without('role')],
    ['without a session', await without('sid')],
    ['a critical header', unsigned({ alg: 'EdDSA', typ, crit: ['x'], x: 1 }, claims, signature)],
    ['empty', ''],
    ['spaces', '   '],
    ['a very long header', `${'A'.repeat(6000)}.${payload}.${signature}`],
  ]);
}
