import { ConfigError } from '../../subgraphs/shared/config.js';
import { type StoreConfig, storeSettings } from './settings.js';

const development: StoreConfig = {
  NODE_ENV: 'development',
  INTROSPECTION: true,
  PAYMENT_PROVIDER: 'sandbox',
  STORE_PAYMENT_SANDBOX_URL: 'http://localhost:4010',
  STORE_DEVELOPMENT: null,
};
const ana = { name: 'Ana', role: 'CUSTOMER', identifier: 'ana@example.com', password: 'public' };
const explorers = { graphiql: '/graphiql', sandbox: '/graphql' };

describe('the settings of the store', () => {
  it('have the explorers, the sandbox, and what is shown in development', () => {
    const shown = { messagesUrl: 'http://localhost:4011', accounts: [ana] };
    expect(storeSettings({ ...development, STORE_DEVELOPMENT: shown })).toEqual({
      mode: 'development',
      links: { ...explorers, messages: 'http://localhost:4011' },
      payment: { provider: 'sandbox', sandboxUrl: 'http://localhost:4010' },
      accounts: [ana],
    });
    expect(storeSettings({ ...development, NODE_ENV: 'test' }).mode).toBe('development');
  });

  it('have no links to explorers that are not served, and none in production', () => {
    expect(storeSettings({ ...development, INTROSPECTION: false }).links).toEqual({});
    expect(storeSettings({ ...development, NODE_ENV: 'production' })).toEqual({
      mode: 'production',
      links: {},
      payment: { provider: 'sandbox', sandboxUrl: 'http://localhost:4010' },
      accounts: [],
    });
  });

  it('have null for a sandbox that browsers cannot reach, and no address with Stripe', () => {
    expect(storeSettings({ ...development, STORE_PAYMENT_SANDBOX_URL: '' }).payment).toEqual({
      provider: 'sandbox',
      sandboxUrl: null,
    });
    const { payment } = storeSettings({ ...development, PAYMENT_PROVIDER: 'stripe' });
    expect(payment).toEqual({ provider: 'stripe' });
  });

  it('never show accounts in production', () => {
    for (const shown of [{ accounts: [ana] }, { accounts: [] }]) {
      const config = { ...development, NODE_ENV: 'production', STORE_DEVELOPMENT: shown } as const;
      const sentence = 'STORE_DEVELOPMENT must not be set with NODE_ENV=production';
      expect(() => storeSettings(config)).toThrow(ConfigError);
      expect(() => storeSettings(config)).toThrow(sentence);
    }
  });
});
