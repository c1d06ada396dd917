import type { Logger } from '../observability/logger.js';

/**
 * Does `work` every so often until stopped, one at a time; what it throws is logged. Work that goes
 * through a list asks before each item whether it is to stop.
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
      logger.error({ err: error, worker: name }, 'a worker failed; it goes on');
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
