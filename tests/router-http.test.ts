import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { root } from '../ops/subgraph-names.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';

const fixture = (name: string) => join(root, 'tests/fixtures', name);
const certFile = fixture('test-only.cert.pem');
const json = { 'content-type': 'application/json' };
const body = JSON.stringify({ query: '{ __typename }' });

describe('HTTP at the router', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterEach(stopRoutersBeside);
  afterAll(() => system.stop());

  const preflight = (url: string, origin: string) =>
    fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
  const postFrom = (url: string, origin: string) =>
    fetch(url, { method: 'POST', headers: { ...json, origin }, body });

  it('refuses a request that a page of any origin could send without a preflight', async () => {
    const query = `${system.url}?query=${encodeURIComponent('{ __typename }')}`;
    const simple = await fetch(query);
    expect(simple.status).toBe(400);
    expect(await simple.text()).toContain('CSRF');
    const headers = { 'content-type': 'text/plain' };
    expect((await fetch(system.url, { method: 'POST', headers, body })).status).toBe(415);
    const response = await fetch(query, { headers: { 'apollo-require-preflight': '1' } });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  });

  it('responds with 405 and the allowed methods to any other method', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const response = await fetch(system.url, { method, headers: json, body });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
    }
  });

  it('puts the request id into every error, and accepts a valid id of the client only', async () => {
    const send = async (requestId: string, text: string) => {
      const headers = { ...json, 'x-request-id': requestId };
      const response = await fetch(system.url, { method: 'POST', headers, body: text });
      const { errors } = (await response.json()) as { errors: GraphQLReply['errors'] };
      return { header: response.headers.get('x-request-id'), errors };
    };
    const wrong = ['{ nothing }', '{', '{ product(id: "x") { id } }'].map((query) =>
      JSON.stringify({ query }),
    );
    for (const text of [...wrong, 'no JSON', JSON.stringify({ query: '{ me { id } }' })]) {
      const { header, errors } = await send('an.id_of-Ours.1', text);
      expect(header).toBe('an.id_of-Ours.1');
      for (const error of errors ?? []) expect(error.extensions.requestId).toBe(header);
      if (!text.includes('me')) expect(errors?.length).toBeGreaterThan(0);
    }
    for (const bad of ['x'.repeat(65), 'a b', 'a:b', '"a"']) {
      const { header, errors } = await send(bad, 'no JSON');
      expect(header).toMatch(/^[\da-f-]{36}$/);
      expect(errors?.[0]?.extensions.requestId).toBe(header);
    }
  });

  it('allows pages of the listed origins, and no others', async () => {
    const settings = { CORS_ORIGINS: 'https://shop.example, http://localhost:3000' };
    const router = await startRouterBeside(system, settings);
    for (const origin of ['https://shop.example', 'http://localhost:3000']) {
      const response = await preflight(router.graphqlUrl, origin);
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
      const posted = await postFrom(router.graphqlUrl, origin);
      expect(posted.headers.get('access-control-allow-origin')).toBe(origin);
      expect(posted.headers.get('access-control-expose-headers')).toContain('retry-after');
      expect(posted.headers.get('vary')).toContain('Origin');
    }
    for (const origin of ['https://shop.example.evil.example', 'http://shop.example', 'null']) {
      const response = await preflight(router.graphqlUrl, origin);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      const posted = await postFrom(router.graphqlUrl, origin);
      expect(posted.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('lets pages of the listed origins read a refusal too', async () => {
    const settings = { CORS_ORIGINS: 'https://shop.example', TRUST_PROXY: 'loopback' };
    const router = await startRouterBeside(system, settings, { ip: 1 });
    const headers = { origin: 'https://shop.example', 'x-forwarded-for': '192.0.2.1' };
    // A window may end between two requests, not between all of them.
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push(await fetch(router.graphqlUrl, { headers }));
    const refused = answers.find(({ status }) => status === 429) as Response;
    expect(answers.map(({ status }) => status)).toContain(429);
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://shop.example');
  });

  it('allows no other origin without a list', async () => {
    const response = await preflight(system.url, 'https://shop.example');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('sends security headers, and no HSTS without TLS', async () => {
    for (const path of ['/graphql', '/nothing']) {
      const { headers } = await fetch(system.url.replace('/graphql', path), { redirect: 'manual' });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('strict-transport-security')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('allows the explorer page to load everything that it refers to', async () => {
    const response = await fetch(system.url, { headers: { accept: 'text/html' } });
    const page = await response.text();
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self' 'unsafe-inline'");
    const sources = [...page.matchAll(/(?:src|href)="(https:\/\/[^/"]+)/g)].map(
      (match) => match[1],
    );
    expect(sources).toContain('https://embeddable-sandbox.cdn.apollographql.com');
    for (const source of new Set(sources)) expect(policy).toContain(source);
    expect(policy).toContain('frame-src https://sandbox.embed.apollographql.com');
  });

  it('serves no explorer page in production, where the schema is hidden', async () => {
    const router = await startRouterBeside(system, { NODE_ENV: 'production' });
    const response = await fetch(router.graphqlUrl, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type')).toContain('application/json');
  });

  it('responds with 413 to a body of more than 100,000 bytes, with or without its length', async () => {
    const large = JSON.stringify({ query: `{ __typename } # ${'x'.repeat(5_000_000)}` });
    const chunked = new ReadableStream({
      start(controller) {
        for (let at = 0; at < large.length; at += 50_000) {
          controller.enqueue(new TextEncoder().encode(large.slice(at, at + 50_000)));
        }
        controller.close();
      },
    });
    const sent = { method: 'POST', headers: json };
    const responses = await Promise.all([
      fetch(system.url, { ...sent, body: large }),
      fetch(system.url, { ...sent, body: chunked, duplex: 'half' } as RequestInit),
    ]);
    for (const response of responses) {
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({
        errors: [{ message: 'The request body is larger than 100000 bytes.' }],
      });
    }
    const within = JSON.stringify({ query: `{ __typename } # ${'x'.repeat(99_000)}` });
    expect((await fetch(system.url, { ...sent, body: within })).status).toBe(200);
  });

  it('continues after a client disconnects in the middle of a body', async () => {
    const { port } = new URL(system.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 500\r\n\r\n{"query"');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await fetch(system.url, { method: 'POST', headers: json, body })).status).toBe(200);
  });

  it('serves HTTPS with HSTS if it has a certificate and its key', async () => {
    const settings = { TLS_CERT_FILE: certFile, TLS_KEY_FILE: fixture('test-only.key.pem') };
    const router = await startRouterBeside(system, settings);
    expect(router.url).toMatch(/^https:/);
    const { text, headers, fingerprint } = await postOverTls(router.graphqlUrl);
    expect(JSON.parse(text)).toEqual({ data: { __typename: 'Query' } });
    expect(headers['strict-transport-security']).toContain('max-age=');
    expect(fingerprint).toBe(new X509Certificate(readFileSync(certFile)).fingerprint256);
    await expect(fetch(router.graphqlUrl.replace('https', 'http'))).rejects.toThrow();
  });
});

/** Posts without verifying the certificate; returns which one it was. */
function postOverTls(url: string) {
  type Answer = { text: string; headers: NodeJS.Dict<string | string[]>; fingerprint: string };
  return new Promise<Answer>((resolve, reject) => {
    const options = { method: 'POST', headers: json, rejectUnauthorized: false, agent: false };
    const request = httpsRequest(url, options, (response) => {
      const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ text, headers: response.headers, fingerprint: fingerprint256 }),
      );
    });
    request.once('error', reject);
    request.end(body);
  });
}
