import { type DestinationStream, type Logger, pino } from 'pino';
import { errorForLog, redacted, redactedPaths, scrub } from './log-privacy.js';
import { requestTrace } from './request-context.js';
import { telemetry } from './telemetry/telemetry.js';

export type { Logger } from 'pino';

// pino's own destination retries a write that fails at exit for ever, also when whoever read our
// lines is gone (EPIPE), and the process never ends. Node's stream gives up.
process.stdout.on('error', () => {});

const flush = () => {
  while (process.stdout.writableCorked > 0) process.stdout.uncork();
};
process.on('exit', flush);

/** To stdout, the lines of one turn of the event loop at once, and to where telemetry is sent, if anywhere. */
const everywhere: DestinationStream = {
  write(line) {
    if (process.stdout.writableCorked === 0) {
      process.stdout.cork();
      setImmediate(flush);
    }
    process.stdout.write(line);
    telemetry()?.log(line);
  },
};

export interface LoggerOptions {
  readonly destination?: DestinationStream;
  /** whether a line may hold what is a person's: for messages that are printed in development */
  readonly personal?: boolean;
}

/**
 * JSON lines with the name of the process and the id of the request at work. What people must not
 * read in a log (passwords, codes, tokens, e-mail addresses, phone numbers) is blanked.
 */
export function createLogger(
  name: string,
  level: string,
  { personal = false, destination = personal ? process.stdout : everywhere }: LoggerOptions = {},
): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: errorForLog },
    mixin: () => ({ ...requestTrace.getStore(), ...telemetry()?.ids() }),
    ...(!personal && {
      redact: { paths: redactedPaths, censor: redacted },
      hooks: { streamWrite: scrub },
    }),
  };
  return pino(options, destination);
}
