import { AccessRefused, NotDone } from '../provider/payment-provider.js';

const repeatAfterMs = 2000;
/** Longer than the circuit stays open until it is tested, and than the pause after a 429. */
const repeatMaxMs = 60_000;

/**
 * Sends a request to the provider; one that was certainly not done, because the provider or the budget did
 * not allow it now, is sent again every 2 s for a minute.
 *
 * @param checkpoint called before each repetition; an error that it throws ends it
 * @throws the last error of the request; at once if it may have been done, or if the key was refused
 */
export async function repeatNotDone<T>(
  request: () => Promise<T>,
  checkpoint: () => Promise<void>,
): Promise<T> {
  const endsAtMs = performance.now() + repeatMaxMs;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      const isRepeatable = error instanceof NotDone && !(error instanceof AccessRefused);
      if (!isRepeatable || performance.now() + repeatAfterMs > endsAtMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, repeatAfterMs));
    await checkpoint();
  }
}
