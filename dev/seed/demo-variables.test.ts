import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { subgraphNames } from '../../ops/subgraph-names.js';
import { demoStoreRefusal, storeUrlOf } from './demo-variables.js';

describe('the demo store, which has an admin with a public password', () => {
  it.each([
    [{ NODE_ENV: 'production', PAYMENT_PROVIDER: 'stripe' }, 'PAYMENT_PROVIDER=stripe takes money'],
    [{ NODE_ENV: 'production' }, 'PAYMENT_PROVIDER=stripe takes money'],
    [
      { NODE_ENV: 'production', PAYMENT_PROVIDER: 'sandbox', DEMO_STORE: 'false' },
      'DEMO_STORE=false',
    ],
    [{ NODE_ENV: 'production', PAYMENT_PROVIDER: 'sandbox' }, undefined],
    [{ NODE_ENV: 'production', PAYMENT_PROVIDER: 'sandbox', DEMO_STORE: '' }, undefined],
    [{}, undefined],
  ])('with %j is refused for: %s', (env, reason) => {
    expect(demoStoreRefusal(env)).toBe(reason);
  });
});

describe('the address in the picture links of the demo store', () => {
  const urlsAt = (port: number) =>
    Object.fromEntries(
      subgraphNames.map((name) => [name, `postgresql://${name}:x@127.0.0.1:${port}/${name}`]),
    ) as DatabaseUrls;
  const databases = urlsAt(54329);
  const system = { graphqlUrl: 'https://localhost:5000/graphql', databases: urlsAt(54329) };
  const ofOtherProduct = { ...system, databases: { ...databases, product: 'postgresql://other' } };
  it.each([
    ['STORE_URL', { STORE_URL: 'https://shop.example' }, system, 'https://shop.example'],
    ['the running system', {}, system, 'https://localhost:5000'],
    ['unknown without a running system', { STORE_URL: '' }, null, null],
    ['unknown for databases of another system', {}, ofOtherProduct, null],
  ])('is %s', (_, env, running, expected) => {
    expect(storeUrlOf(databases, env, running)).toBe(expected);
  });

  it('is refused if it is not one of http or https', () => {
    expect(() => storeUrlOf(databases, { STORE_URL: 'ftp://shop.example' })).toThrow(
      'STORE_URL is malformed',
    );
  });
});
