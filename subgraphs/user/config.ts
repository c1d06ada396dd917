import {
  callers,
  requiredInProduction,
  secretOf,
  subgraphVariables,
  text,
  tokenVariables,
} from '../shared/config.js';

const callerSecrets = Object.assign({}, ...callers.map(secretOf)) as ReturnType<
  typeof secretOf<'user' | 'product' | 'shop' | 'warehouse' | 'order'>
>;

export const variables = {
  ...subgraphVariables('user', 4001),
  ...callerSecrets,
  ...tokenVariables,
  AUTH_SIGNING_KEYS: requiredInProduction(
    text,
    'generate',
    'private Ed25519 keys as a JSON Web Key Set, the newest first; `generate` makes one at start',
  ),
};
