import { defineSubgraph } from '../shared/define-subgraph.js';
import { runIfMain } from '../shared/runtime/process.js';
import { createApp } from './app.js';
import { variables } from './config.js';
import { databaseSchema } from './mikro-orm.config.js';
import { source } from './schema.js';

/** The user subgraph: accounts, sessions, one-time codes and addresses. */
export const subgraph = defineSubgraph({
  name: 'user',
  variables,
  databaseSchema,
  source,
  callers: ['router', 'order'],
  redis: { codes: { url: 'OTP_REDIS_URL' }, events: { url: 'EVENTS_REDIS_URL' } },
  app: createApp,
  consumes: {},
  emits: {},
  routes: { '/.well-known/jwks.json': ({ keys }) => keys.published },
  // Every process verifies access tokens.
  routeCallers: ['user', 'product', 'shop', 'warehouse', 'order'],
});

export const startUser = subgraph.start;

runIfMain(import.meta.url, startUser);
