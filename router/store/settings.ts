import { ConfigError } from '../../subgraphs/shared/config.js';
import type { StoreDevelopment } from './development.js';

/** The variables of the router that the store depends on. */
export interface StoreConfig {
  readonly NODE_ENV: 'development' | 'test' | 'production';
  readonly INTROSPECTION: boolean;
  readonly PAYMENT_PROVIDER: 'sandbox' | 'stripe';
  /** '' if browsers cannot reach the sandbox */
  readonly STORE_PAYMENT_SANDBOX_URL: string;
  readonly STORE_DEVELOPMENT: StoreDevelopment | null;
}

/** What the store reads from `/config.json`: one build serves all modes. */
export interface StoreSettings {
  readonly mode: 'development' | 'production';
  /** pages beside the store; absent ones are not served */
  readonly links: {
    readonly graphiql?: string;
    readonly sandbox?: string;
    readonly messages?: string;
  };
  readonly payment:
    | { readonly provider: 'sandbox'; readonly sandboxUrl: string | null }
    | { readonly provider: 'stripe' };
  readonly accounts: StoreDevelopment['accounts'];
}

const explorers = { graphiql: '/graphiql', sandbox: '/graphql' };

/** @throws ConfigError for `STORE_DEVELOPMENT` in production: it would show accounts with their passwords */
export function storeSettings(config: StoreConfig): StoreSettings {
  const { NODE_ENV, STORE_DEVELOPMENT: development } = config;
  if (NODE_ENV === 'production' && development) {
    throw new ConfigError([
      'STORE_DEVELOPMENT must not be set with NODE_ENV=production: it shows accounts with their passwords',
    ]);
  }
  const mode = NODE_ENV === 'production' ? 'production' : 'development';
  const messages = development?.messagesUrl;
  return {
    mode,
    links: {
      ...(mode === 'development' && config.INTROSPECTION && explorers),
      ...(messages && { messages }),
    },
    payment:
      config.PAYMENT_PROVIDER === 'stripe'
        ? { provider: 'stripe' }
        : { provider: 'sandbox', sandboxUrl: config.STORE_PAYMENT_SANDBOX_URL || null },
    accounts: development?.accounts ?? [],
  };
}
