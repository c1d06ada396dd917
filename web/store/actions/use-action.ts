import { signal } from '@preact/signals';
import { ApiError, ConnectionLost } from '../graph/errors.js';
import { currentUser } from '../session/stored-session.js';
import { useWork } from '../ui/use-work.js';
import { createPendingActions, type PendingAction, type PendingState } from './pending.js';

/** Increases with each change of the pending actions. */
const changes = signal(0);

/** Like `crypto.randomUUID`, which browsers have in secure contexts only. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const pendingActions = createPendingActions({
  store: sessionStorage,
  newKey,
  owner: () => currentUser.peek()?.id ?? null,
  onChange() {
    changes.value += 1;
  },
});

/** Keys whose request is under way in this page. */
const inFlight = new Set<string>();

/** Forgets all pending actions: the user has logged out. */
export const forgetPendingActions = () => pendingActions.clear();

/** Forgets the pending actions of some names, because their effects have been seen. */
export const forgetSeenActions = (actions: readonly string[]) =>
  pendingActions.forget(actions, (key) => inFlight.has(key));

/** The oldest pending action of a name that is in one of these states, and not under way in this page. */
export function usePendingAction(
  name: string,
  states: readonly PendingState[],
): PendingAction | undefined {
  void changes.value; // renders again with each change
  return pendingActions
    .allOf(name)
    .find(({ key, state }) => states.includes(state) && !inFlight.has(key));
}

/** The end of an attempt to pay (docs/api.md#retries): the next one needs a new key. */
const nothingCharged = /^Nothing was charged/;

/** What an error says of the action; null if it has ended without an effect. */
function stateAfter(error: unknown): PendingState | null {
  if (error instanceof ConnectionLost) return 'sent';
  if (!(error instanceof ApiError)) return null;
  const { code, message } = error;
  if (code === 'OUTCOME_UNKNOWN' || code === 'INTERNAL_SERVER_ERROR') return 'sent';
  return code === 'TRY_AGAIN' && !nothingCharged.test(message) ? 'refused' : null;
}

interface ActionOptions<R> {
  /** whether an answer ends the action: a payment that is not decided goes on under the same key */
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
  const { isBusy, error, run } = useWork();

  async function send(input: I, key: string): Promise<R> {
    inFlight.add(key);
    try {
      const result = await perform(input, key);
      inFlight.delete(key);
      if (isFinal(result)) pendingActions.settle(key);
      else pendingActions.mark(key, 'waiting');
      return result;
    } catch (thrown) {
      inFlight.delete(key);
      const state = stateAfter(thrown);
      if (state) pendingActions.mark(key, state);
      else pendingActions.settle(key);
      throw thrown;
    }
  }

  return {
    isBusy,
    error,
    /** @returns undefined if it is running already, or failed: `error` says why */
    run: (input: I) => run(async () => send(input, pendingActions.keyOf(name, input))),
    /** Sends a pending action again, under its key. */
    resume: ({ input, key }: PendingAction) => run(() => send(input as I, key)),
  };
}
