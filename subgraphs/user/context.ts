import type { MikroORM } from '@mikro-orm/postgresql';
import type { SubgraphContext } from '../shared/context.js';
import type { SigningKeys } from './session/signing-keys.js';

export interface UserApp {
  readonly orm: MikroORM;
  readonly keys: SigningKeys;
}
export type UserContext = SubgraphContext<UserApp>;
