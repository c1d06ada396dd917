import { type DestinationStream, type Logger, pino } from 'pino';
import { requestTrace } from './request-context.js';

export type { Logger } from 'pino';

const secretKeys = [
  'password',
  'authorization',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'email',
  'phone',
  'identifier',
];

/**
 * JSON lines with the name of the process and the id of the request at work. What people must not
 * read in a log (passwords, tokens, e-mail addresses, …) is blanked by its key, two levels deep.
 */
export function createLogger(name: string, level: string, destination?: DestinationStream): Logger {
  const paths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths, censor: '[redacted]' },
    mixin: () => ({ ...requestTrace.getStore() }),
  };
  return destination ? pino(options, destination) : pino(options);
}
