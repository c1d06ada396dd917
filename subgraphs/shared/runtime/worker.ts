import type { Logger } from '../observability/logger.js';

export interface Worker {
  /** Runs the work now; during a run, once more after it. */
  wake(): void;
  /** Resolves after the current run. */
  stop(): Promise<void>;
}

/**
 * Runs `work` at an interval, and whenever it is woken, until stopped, never concurrently; errors are
 * logged. Work on a list checks `isStopping` before each item.
 */
export function startWorker(
  name: string,
  everyMs: number,
  logger: Logger,
  work: (isStopping: () => boolean) => Promise<unknown>,
): Worker {
  let stopped = false;
  let woken = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const turn = async () => {
    timer = undefined;
    woken = false;
    try {
      await work(() => stopped);
    } catch (error) {
      logger.error({ err: error, worker: name }, 'worker iteration failed');
    }
    if (!stopped) schedule(woken ? 0 : everyMs);
  };
  const run = () => {
    running = turn();
  };
  const schedule = (delayMs: number) => {
    timer = setTimeout(run, delayMs);
  };
  schedule(everyMs);
  return {
    wake() {
      woken = true;
      if (!timer || stopped) return;
      clearTimeout(timer);
      run();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
