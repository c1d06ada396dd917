import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../ops/subgraph-names.js';
import { ConfigError, loadConfig } from '../subgraphs/shared/config.js';
import { tlsOf, variables } from './config.js';

const problemsOf = (env: Record<string, string>) => {
  try {
    tlsOf(loadConfig(variables, env));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};
const pem = (name: string) =>
  readFileSync(join(root, 'tests/fixtures', `test-only.${name}.pem`), 'utf8');

describe('the configuration of the router', () => {
  it.each([
    ['TRUST_PROXY', 'everybody', /invalid IP address: everybody/],
    ['TRUST_PROXY', '10.0.0.0/33', /invalid range/],
    ['CORS_ORIGINS', 'shop.example', /not a list of origins/],
    ['CORS_ORIGINS', 'https://shop.example/', /not a list of origins/],
    ['CORS_ORIGINS', '*', /not a list of origins/],
    ['RATE_LIMIT_PROFILE', 'none', /Invalid option/],
    ['INTROSPECTION', 'perhaps', /Invalid option/],
    ['QUERY_DEPTH_MAX', '0', /expected number/],
    ['PAYMENT_PROVIDER', 'cash', /Invalid option/],
    ['STORE_PAYMENT_SANDBOX_URL', 'localhost', /not an http or https address/],
    ['STORE_PAYMENT_SANDBOX_URL', 'javascript:alert(1)', /not an http or https address/],
    ['STORE_DEVELOPMENT', '{', /not JSON/],
    ['STORE_DEVELOPMENT', '[]', /expected object/],
    ['STORE_DEVELOPMENT', '{"messagesUrl":"javascript:alert(1)"}', /messagesUrl: not an http/],
    ['STORE_DEVELOPMENT', '{"acounts":[]}', /Unrecognized key: "acounts"/],
    ['STORE_DEVELOPMENT', '{"accounts":[{"name":"Ana"}]}', /accounts: 0: role: /],
  ])('refuses %s=%s, and says why', (name, value, why) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name} is malformed`))]);
    expect(problems[0]).toMatch(why);
  });

  it('accepts a certificate and its key, both or neither', () => {
    expect(tlsOf(loadConfig(variables, {}))).toBeNull();
    const pair = { TLS_CERT: pem('cert'), TLS_KEY: pem('key') };
    expect(tlsOf(loadConfig(variables, pair))).toEqual({ cert: pem('cert'), key: pem('key') });
    expect(problemsOf({ TLS_CERT: pem('cert') })).toEqual([
      expect.stringMatching(/^TLS_KEY is missing/),
    ]);
    expect(problemsOf({ TLS_KEY: pem('key') })).toEqual([
      expect.stringMatching(/^TLS_CERT is missing/),
    ]);
    expect(problemsOf({ ...pair, TLS_KEY: pem('cert') })).toEqual([
      expect.stringMatching(/^TLS_CERT and TLS_KEY are not a certificate and its key/),
    ]);
  });

  it('accepts what the store shows in development', () => {
    const ana = { name: 'Ana', role: 'CUSTOMER', identifier: 'ana@example.com', password: 'x' };
    const shown = { messagesUrl: 'http://localhost:4011', accounts: [ana] };
    const given = (STORE_DEVELOPMENT: string) =>
      loadConfig(variables, { STORE_DEVELOPMENT }).STORE_DEVELOPMENT;
    expect(given(JSON.stringify(shown))).toEqual(shown);
    expect(given('{}')).toEqual({ accounts: [] });
    expect(given('')).toBeNull();
  });

  it('shows the schema by default, but not in production', () => {
    const secrets = {
      ROUTER_SECRET: 'a secret of the router',
      JWKS_URL: 'http://127.0.0.1/keys',
      RATE_LIMIT_REDIS_URL: 'redis://127.0.0.1',
    };
    const production = { ...secrets, NODE_ENV: 'production' };
    expect(loadConfig(variables, {}).INTROSPECTION).toBe(true);
    expect(loadConfig(variables, production).INTROSPECTION).toBe(false);
    expect(loadConfig(variables, { ...production, INTROSPECTION: 'true' }).INTROSPECTION).toBe(
      true,
    );
  });
});
