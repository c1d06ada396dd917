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
  const running = 'https://localhost:5000/graphql';
  it.each([
    [{ STORE_URL: 'https://shop.example' }, running, 'https://shop.example'],
    [{}, running, 'https://localhost:5000'],
    [{ STORE_URL: '' }, undefined, 'http://localhost:4000'],
  ])('with %j and the running system %s is %s', (env, runningUrl, expected) => {
    expect(storeUrlOf(env, runningUrl ?? null)).toBe(expected);
  });

  it('is refused if it is not one of http or https', () => {
    expect(() => storeUrlOf({ STORE_URL: 'ftp://shop.example' })).toThrow('STORE_URL is malformed');
  });
});
