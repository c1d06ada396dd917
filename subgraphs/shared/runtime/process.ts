import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../config.js';
import { UnusableServerError } from '../database/unusable-server.js';
import { ignoreLostReader } from '../observability/logger.js';
import { startTelemetry, telemetry } from '../observability/telemetry/telemetry.js';

/** A service that runs in this process. */
export interface Service {
  /** its address, such as `http://127.0.0.1:4001` */
  readonly url: string;
  readonly opsUrl: string;
  /** rejects when the service cannot go on, with the reason */
  readonly failed?: Promise<never>;
  stop(): Promise<void>;
}

const stopMaxMs = 10_000;

/**
 * Runs the service if its module is the main program: starts it, notifies the parent process when it is
 * ready, and stops it on SIGTERM, on SIGINT or when the parent exits. Requests in flight have `stopMaxMs`
 * to complete.
 */
export function runIfMain(moduleUrl: string, start: () => Promise<Service>): void {
  const program = process.argv[1];
  if (!program || pathToFileURL(program).href !== moduleUrl) return;
  ignoreLostReader();
  const starting = startTelemetry(basename(dirname(program))).then(start);
  starting
    .then(({ url, failed }) => {
      if (process.connected) process.send?.({ ready: true, url });
      return failed;
    })
    .catch(fail);
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopMaxMs).unref();
    await (await starting).stop();
    await telemetry()?.stop();
    process.exit(0);
  };
  const stopOrFail = () => void stop().catch(fail);
  process.on('SIGTERM', stopOrFail);
  process.on('SIGINT', stopOrFail);
  process.on('disconnect', stopOrFail);
  // The parent may have exited while the modules were loading, before the listener was added.
  if (process.connected === false) stopOrFail();
}

function fail(error: unknown): never {
  const known =
    error instanceof ConfigError ||
    error instanceof UnusableServerError ||
    (error as { code?: string }).code === 'EADDRINUSE';
  process.stderr.write(`${known ? (error as Error).message : ((error as Error).stack ?? error)}\n`);
  process.exit(1);
}
