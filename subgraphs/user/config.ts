import { z } from 'zod';
import {
  address,
  callers,
  challengeVariables,
  requiredInProduction,
  secretOf,
  secretText,
  setting,
  subgraphVariables,
  text,
  tokenVariables,
} from '../shared/config.js';

/** Value of a gateway's URL with which messages are printed in the log, for development. */
export const toLog = 'log';

const callerSecrets = Object.assign({}, ...callers.map(secretOf)) as ReturnType<
  typeof secretOf<'user' | 'product' | 'shop' | 'warehouse' | 'order'>
>;

// Production refuses development defaults, and so this value too.
const logOr = (protocol: RegExp) => z.union([z.literal(toLog), z.url({ protocol })]);

export const variables = {
  ...subgraphVariables('user', 4001),
  ...callerSecrets,
  ...tokenVariables,
  AUTH_SIGNING_KEYS: requiredInProduction(
    text,
    'generate',
    'private Ed25519 keys as a JSON Web Key Set, newest first; `generate` creates one at start',
  ),
  OTP_REDIS_URL: requiredInProduction(
    address,
    'redis://127.0.0.1:63799/3',
    'the Redis of one-time codes, which need a Redis database of their own',
  ),
  EVENTS_REDIS_URL: requiredInProduction(
    address,
    'redis://127.0.0.1:63799/0',
    'the Redis that publishes ended sessions, the same as that of order; it stores nothing',
  ),
  OTP_SECRET: requiredInProduction(
    secretText,
    'development-secret-of-codes',
    'the HMAC key of one-time codes and of derived refresh tokens, 16 characters or more',
  ),
  SMS_GATEWAY_URL: requiredInProduction(
    logOr(/^https?$/),
    toLog,
    'an SMS gateway with Twilio’s API, such as https://api.twilio.com; `log` prints messages instead',
  ),
  SMS_ACCOUNT_SID: setting(z.string(), '', 'the account at the SMS gateway'),
  SMS_AUTH_TOKEN: setting(z.string(), '', 'the secret of the account at the SMS gateway'),
  SMS_FROM: setting(z.string(), 'Holdfast', 'the number or name of the sender of SMS'),
  SMTP_URL: requiredInProduction(
    logOr(/^smtps?$/),
    toLog,
    'the mail server, as smtps://user:password@host:465; `log` prints messages instead',
  ),
  ...challengeVariables,
  MAIL_FROM: setting(text, 'Holdfast <no-reply@localhost>', 'the sender of e-mails'),
};
