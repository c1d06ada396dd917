import { z } from 'zod';
import {
  address,
  callers,
  requiredInProduction,
  secretOf,
  secretText,
  setting,
  subgraphVariables,
  text,
  tokenVariables,
} from '../shared/config.js';

/** The address that stands for none: messages are printed in the log, for development. */
export const toLog = 'log';

const callerSecrets = Object.assign({}, ...callers.map(secretOf)) as ReturnType<
  typeof secretOf<'user' | 'product' | 'shop' | 'warehouse' | 'order'>
>;

// `log` prints messages in the log; production takes no development default, and so never that.
const logOr = (protocol: RegExp) => z.union([z.literal(toLog), z.url({ protocol })]);

export const variables = {
  ...subgraphVariables('user', 4001),
  ...callerSecrets,
  ...tokenVariables,
  AUTH_SIGNING_KEYS: requiredInProduction(
    text,
    'generate',
    'private Ed25519 keys as a JSON Web Key Set, the newest first; `generate` makes one at start',
  ),
  OTP_REDIS_URL: requiredInProduction(
    address,
    'redis://127.0.0.1:63799/3',
    'the Redis of one-time codes, in a database of their own',
  ),
  OTP_SECRET: requiredInProduction(
    secretText,
    'development-secret-of-codes',
    'the key under which one-time codes are kept as HMACs, 16 characters or more',
  ),
  SMS_GATEWAY_URL: requiredInProduction(
    logOr(/^https?$/),
    toLog,
    'an SMS gateway that speaks Twilio’s API, such as https://api.twilio.com; `log` prints instead',
  ),
  SMS_ACCOUNT_SID: setting(z.string(), '', 'the account at the SMS gateway'),
  SMS_AUTH_TOKEN: setting(z.string(), '', 'the secret of the account at the SMS gateway'),
  SMS_FROM: setting(z.string(), 'Holdfast', 'the number or name that an SMS comes from'),
  SMTP_URL: requiredInProduction(
    logOr(/^smtps?$/),
    toLog,
    'the mail server, as smtps://user:password@host:465; `log` prints instead',
  ),
  MAIL_FROM: setting(text, 'Holdfast <no-reply@localhost>', 'the sender of mails'),
};
