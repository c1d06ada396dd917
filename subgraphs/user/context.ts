import type { MikroORM } from '@mikro-orm/postgresql';
import type { SubgraphContext } from '../shared/graphql/context.js';
import type { MessageSender } from './message/create-message-sender.js';
import type { SigningKeys } from './session/signing-keys.js';
import type { OneTimeCodes } from './verification/one-time-codes.js';

export interface UserApp {
  readonly orm: MikroORM;
  readonly keys: SigningKeys;
  readonly codes: OneTimeCodes;
  readonly messages: MessageSender;
}
export type UserContext = SubgraphContext<UserApp>;
