import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, SignJWT } from 'jose';
import { newId } from '../ids.js';
import { generateSigningKey, readSigningKeys, type SigningKeys } from './signing-keys.js';
import { createTokenVerifier, tokenRules } from './tokens.js';

const sign = ({ newest }: SigningKeys, type: string = tokenRules.type): Promise<string> =>
  new SignJWT({ role: 'CUSTOMER', sid: newId() })
    .setProtectedHeader({ alg: tokenRules.algorithm, typ: type, kid: newest.keyId })
    .setSubject(newId())
    .setIssuer(tokenRules.issuer)
    .setAudience(tokenRules.audience)
    .setExpirationTime('5m')
    .sign(newest.privateKey as CryptoKey);

describe('the keys that sign access tokens', () => {
  it('are published without their private part; the newest signs', async () => {
    const [newer, older] = [await generateSigningKey(), await generateSigningKey()];
    const keys = await readSigningKeys(JSON.stringify({ keys: [newer, older] }));
    expect(keys.newest.keyId).toBe(newer.kid);
    expect(keys.published.keys.map(({ kid }) => kid)).toEqual([newer.kid, older.kid]);
    expect(JSON.stringify(keys.published)).not.toMatch(/"d":/);
  });

  it('can be rotated: tokens of the older key stay valid until it is withdrawn', async () => {
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => generateSigningKey()));
    const before = await readSigningKeys(JSON.stringify({ keys: [first] }));
    const during = await readSigningKeys(JSON.stringify({ keys: [second, first] }));
    const after = await readSigningKeys(JSON.stringify({ keys: [third] }));
    let published = before.published;
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(published));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    const verify = createTokenVerifier(url, {});
    const identityOf = async (token: string) => (await verify(`Bearer ${token}`))?.role;
    const old = await sign(before);
    expect(await identityOf(old)).toBe('CUSTOMER');
    published = during.published;
    await new Promise((resolve) => setTimeout(resolve, 1100)); // unknown keys are fetched once a second at most
    expect(await identityOf(await sign(during))).toBe('CUSTOMER');
    expect(await identityOf(await sign(before))).toBe('CUSTOMER');
    await expect(identityOf(await sign(after))).rejects.toMatchObject({
      extensions: { code: 'UNAUTHENTICATED' },
    });
    await expect(identityOf(await sign(during, 'jwt'))).rejects.toMatchObject({
      extensions: { code: 'UNAUTHENTICATED' },
    });
    await new Promise((resolve) => server.close(resolve));
  });
});
