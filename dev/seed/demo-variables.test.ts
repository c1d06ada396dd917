import { whyNoDemoStore } from './demo-variables.js';

describe('the demo store, with an admin whose password everybody knows', () => {
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
  ])('where %j: %s', (env, why) => {
    expect(whyNoDemoStore(env)).toBe(why);
  });
});
