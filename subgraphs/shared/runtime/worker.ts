import type { Logger } from '../observability/logger.js';

/**
 * Runs `work` at an interval until stopped, never concurrently; errors are logged. Work on a list checks
 * `isStopping` before each item.
 */
export function startWorker(
  name: string,
  everyMs: number,
  logger: Logger,
  work: (isStopping: () => boolean) => Promise<unknown>,
): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const turn = async () => {
    try {
      await work(() => stopped);
    } catch (error) {
      logger.error({ err: error, worker: name }, 'worker iteration failed');
    }
    if (!stopped) schedule();
  };
  const schedule = () => {
    timer = setTimeout(() => {
      running = turn();
    }, everyMs);
  };
  schedule();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
