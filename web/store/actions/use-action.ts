import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { ApiError, ConnectionLost } from '../graph/errors.js';
import { currentUser } from '../session/stored-session.js';
import { createPendingActions } from './pending.js';

/** Like `crypto.randomUUID`, which browsers have in secure contexts only. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const pendingActions = createPendingActions(
  sessionStorage,
  newKey,
  () => currentUser.peek()?.id ?? null,
);

/** After these the outcome is unknown, or the same key continues what was begun. */
const unsettledCodes = ['TRY_AGAIN', 'OUTCOME_UNKNOWN', 'INTERNAL_SERVER_ERROR', 'RATE_LIMITED'];
/** The end of an attempt to pay (docs/api.md#retries): the next one needs a new key. */
const nothingCharged = /^Nothing was charged/;

function isSettledBy(error: unknown): boolean {
  if (error instanceof ConnectionLost) return false;
  if (!(error instanceof ApiError)) return true;
  return !unsettledCodes.includes(error.code) || nothingCharged.test(error.message);
}

interface ActionOptions<R> {
  /** whether an answer ends the action: a payment that is not decided continues under the same key */
  isFinal?(result: R): boolean;
}

/**
 * A user's action: it runs once at a time, under an idempotency key that is kept until it is answered.
 *
 * @param name unique for each kind of action
 */
export function useAction<I, R>(
  name: string,
  perform: (input: I, key: string) => Promise<R>,
  { isFinal = () => true }: ActionOptions<R> = {},
) {
  const isBusy = useSignal(false);
  const error = useSignal<Error | null>(null);
  const running = useRef(false);

  /** @returns undefined if it is running already, or failed: `error` says why */
  async function run(input: I): Promise<R | undefined> {
    // The signal would be a render late for the second of two clicks.
    if (running.current) return undefined;
    running.current = true;
    isBusy.value = true;
    error.value = null;
    const key = pendingActions.keyOf(name, input);
    try {
      const result = await perform(input, key);
      if (isFinal(result)) pendingActions.settle(key);
      return result;
    } catch (thrown) {
      if (isSettledBy(thrown)) pendingActions.settle(key);
      error.value = thrown as Error;
      return undefined;
    } finally {
      running.current = false;
      isBusy.value = false;
    }
  }
  return { run, isBusy, error };
}
