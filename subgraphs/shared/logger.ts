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

// pino's own destination retries a write that fails at exit for ever, also when whoever read our
// lines is gone (EPIPE), and the process never ends. Node's stream gives up.
process.stdout.on('error', () => {});

/**
 * JSON lines with the name of the process and the id of the request at work. What people must not
 * read in a log (passwords, tokens, e-mail addresses, …) is blanked by its key, two levels deep.
 */
export function createLogger(
  name: string,
  level: string,
  destination: DestinationStream = process.stdout,
): Logger {
  const paths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths, censor: '[redacted]' },
    mixin: () => ({ ...requestTrace.getStore() }),
  };
  return pino(options, destination);
}
