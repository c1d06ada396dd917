import type { Logger } from '../observability/logger.js';

const waitingMax = 200;

/**
 * Handles messages one at a time, in order. Of more than 200 that wait, further ones are dropped: for
 * messages that may be lost.
 *
 * @returns a function that adds a message
 */
export function createMessageQueue<M>(
  name: string,
  logger: Logger,
  handle: (message: M) => Promise<unknown>,
): (message: M) => void {
  const waiting: M[] = [];
  let isHandling = false;
  async function handleAll() {
    isHandling = true;
    for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
      try {
        await handle(message);
      } catch (error) {
        logger.warn({ err: error }, `${name} could not be handled`);
      }
    }
    isHandling = false;
  }
  return (message) => {
    if (waiting.length >= waitingMax) return;
    waiting.push(message);
    if (!isHandling) void handleAll();
  };
}
