import type { Redis } from 'ioredis';
import { readSigningKeys } from '../shared/auth/signing-keys.js';
import { createChallenge } from '../shared/challenge/challenge.js';
import type { SubgraphParts } from '../shared/subgraph-definition.js';
import type { variables } from './config.js';
import type { UserApp } from './context.js';
import { createMessageSender } from './message/create-message-sender.js';
import { publishEndedSessions } from './session/session-signals.js';
import { createSuccessorOf } from './session/successor.js';
import { createOneTimeCodes } from './verification/one-time-codes.js';

type Parts = SubgraphParts<
  typeof variables,
  never,
  { readonly codes: Redis; readonly events: Redis }
>;

/** @throws ConfigError */
export async function createApp(parts: Parts): Promise<UserApp> {
  const { config, registry, orm, redis, logger, onStop } = parts;
  const keys = await readSigningKeys(config.AUTH_SIGNING_KEYS);
  const messages = createMessageSender(config, logger);
  onStop(() => messages.close());
  const challenge = createChallenge(config, registry, logger);
  onStop(() => challenge.close());
  publishEndedSessions(orm, redis.events);
  return {
    keys,
    successorOf: createSuccessorOf(config.OTP_SECRET),
    codes: createOneTimeCodes(redis.codes, config.OTP_SECRET, logger),
    messages,
    challenge,
  };
}
