import type { MikroORM } from '@mikro-orm/postgresql';
import type { SubgraphContext } from '../shared/context.js';
import type { OneTimeCodes } from './code/one-time-codes.js';
import type { MessageSender } from './message/message.js';
import type { SigningKeys } from './session/signing-keys.js';

export interface UserApp {
  readonly orm: MikroORM;
  readonly keys: SigningKeys;
  readonly codes: OneTimeCodes;
  readonly messages: MessageSender;
}
export type UserContext = SubgraphContext<UserApp>;
