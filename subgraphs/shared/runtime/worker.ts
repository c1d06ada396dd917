import type { Logger } from '../observability/logger.js';
import { outsideRequests } from '../observability/request-context.js';

export interface Worker {
  /** Runs the work now; if as many runs as allowed are active, once more after one of them. */
  wake(): void;
  /** Resolves after the active runs. */
  stop(): Promise<void>;
}

/**
 * Runs `work` at an interval, and whenever it is woken, until stopped; errors are logged. Work on a list
 * checks `isStopping` before each item.
 *
 * @param parallelMax how many runs may be active: more than one for work that claims its items, so that those
 *   that are due now do not wait for slow ones
 */
export function startWorker(
  name: string,
  everyMs: number,
  logger: Logger,
  work: (isStopping: () => boolean) => Promise<unknown>,
  parallelMax = 1,
): Worker {
  let stopped = false;
  let woken = false;
  /** set while another run may begin */
  let timer: NodeJS.Timeout | undefined;
  const active = new Set<Promise<void>>();

  async function turn(): Promise<void> {
    try {
      // A request may have woken it, to which neither the work nor its timers belong.
      await outsideRequests(work, () => stopped);
    } catch (error) {
      logger.error({ err: error, worker: name }, 'worker iteration failed');
    }
  }
  function run(): void {
    timer = undefined;
    woken = false;
    const running = turn().then(() => {
      active.delete(running);
      if (!stopped && !timer) schedule(woken ? 0 : everyMs);
    });
    active.add(running);
    if (active.size < parallelMax) schedule(everyMs);
  }
  function schedule(delayMs: number): void {
    timer = setTimeout(run, delayMs);
  }

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
      await Promise.all(active);
    },
  };
}
