import { demoStoreRefusal } from './demo-variables.js';

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
