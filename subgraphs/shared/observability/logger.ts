import { type DestinationStream, type Logger, pino } from 'pino';
import { errorForLog, redactSecrets, scrub } from './log-privacy.js';
import { requestTrace } from './request-context.js';
import { telemetry } from './telemetry/telemetry.js';

export type { Logger } from 'pino';

/** For a program: it continues when the reader of its output is gone (EPIPE). */
export function ignoreLostReader(): void {
  process.stdout.on('error', () => {});
}

let pending = '';

function flush(): void {
  const lines = pending;
  pending = '';
  if (lines) process.stdout.write(lines);
}
process.on('exit', flush);

/**
 * Writes to stdout, the lines of one turn of the event loop at once, and to the telemetry endpoint, if there is
 * one. pino's own destination retries a write that fails at exit forever, and the process never ends; Node's stream
 * gives up.
 */
const defaultDestination: DestinationStream = {
  write(line) {
    if (pending === '') setImmediate(flush);
    pending += line;
    telemetry()?.log(line);
  },
};

export interface LoggerOptions {
  readonly destination?: DestinationStream;
  /** whether lines may contain personal data: for messages that are printed in development */
  readonly personal?: boolean;
}

/**
 * Logs JSON lines with the name of the process and the id of the current request. Passwords, codes, tokens,
 * e-mail addresses and phone numbers are redacted.
 */
export function createLogger(
  name: string,
  level: string,
  {
    personal = false,
    destination = personal ? process.stdout : defaultDestination,
  }: LoggerOptions = {},
): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: errorForLog },
    mixin: originOfLine,
    ...(!personal && {
      formatters: { log: (line: Record<string, unknown>) => redactSecrets(line) },
      hooks: { streamWrite: scrub },
    }),
  };
  return pino(options, destination);
}

function originOfLine(): object {
  const trace = requestTrace.getStore();
  const ids = telemetry()?.ids();
  return trace ? { requestId: trace.requestId, ...ids } : { ...ids };
}
