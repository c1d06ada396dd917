import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../config.js';
import { startTelemetry, telemetry } from '../observability/telemetry/telemetry.js';

/** A service that runs in this process. */
export interface Service {
  /** where it answers, for example `http://127.0.0.1:4001` */
  readonly url: string;
  readonly opsUrl: string;
  stop(): Promise<void>;
}

const stopMaxMs = 10_000;

/**
 * Runs the service when its module is the program: starts it, tells a parent process when it is
 * ready, and stops it on SIGTERM, SIGINT or when the parent is gone. What is in flight then has
 * `stopMaxMs` to end.
 */
export function runIfMain(moduleUrl: string, start: () => Promise<Service>): void {
  const program = process.argv[1];
  if (!program || pathToFileURL(program).href !== moduleUrl) return;
  const starting = startTelemetry(basename(dirname(program))).then(start);
  starting.then(
    (service) => process.connected && process.send?.({ ready: true, url: service.url }),
    (error: unknown) => fail(error),
  );
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
  // The parent may have gone while our modules were loading, before anybody listened.
  if (process.connected === false) stopOrFail();
}

function fail(error: unknown): never {
  const known = error instanceof ConfigError || (error as { code?: string }).code === 'EADDRINUSE';
  process.stderr.write(`${known ? (error as Error).message : ((error as Error).stack ?? error)}\n`);
  process.exit(1);
}
