/**
 * `sent`: no answer has come. `waiting`: it goes on under its key, such as a payment that the bank has not decided.
 * `refused`: nothing happened, and the same key may be used again.
 */
export type PendingState = 'sent' | 'waiting' | 'refused';

/** An action without a final answer. */
export interface PendingAction {
  /** idempotency key */
  readonly key: string;
  readonly action: string;
  readonly input: unknown;
  readonly state: PendingState;
  /** id of the user, null without one: nobody goes on with what another user began in this tab */
  readonly owner: string | null;
  /** Unix time, in ms */
  readonly atMs: number;
}

export interface PendingOptions {
  /** `sessionStorage`, or a stand-in */
  readonly store: Pick<Storage, 'getItem' | 'setItem'>;
  newKey(): string;
  /** id of the signed-in user */
  owner(): string | null;
  nowMs?(): number;
  onChange?(): void;
}

const storageKey = 'holdfast.pending';
const pendingMax = 50;
/** The API remembers keys for 24 hours. */
const ageMaxMs = 24 * 3_600_000;

/**
 * Idempotency keys of actions without a final answer. They survive a reload: the same action gets the same key until
 * it is answered, so a double click, a reload or a lost answer does nothing twice.
 */
export function createPendingActions(options: PendingOptions) {
  const { store, newKey, owner, nowMs = Date.now, onChange } = options;

  function readAll(): PendingAction[] {
    try {
      const all = JSON.parse(store.getItem(storageKey) ?? '[]') as PendingAction[];
      return all.filter(({ atMs }) => nowMs() - atMs < ageMaxMs);
    } catch {
      return [];
    }
  }
  const readOwn = () => readAll().filter((each) => each.owner === owner());

  function write(all: readonly PendingAction[]): void {
    try {
      store.setItem(storageKey, JSON.stringify(all.slice(-pendingMax)));
    } catch {
      // Storage that is full or forbidden costs the protection across reloads, not the action.
    }
    onChange?.();
  }

  return {
    /** The key of an action: a new one, unless the same action is pending. */
    keyOf(action: string, input: unknown): string {
      const text = JSON.stringify(input);
      const known = readOwn().find(
        (each) => each.action === action && JSON.stringify(each.input) === text,
      );
      if (known) return known.key;
      const key = newKey();
      const added = { key, action, input, state: 'sent', owner: owner(), atMs: nowMs() } as const;
      write([...readAll(), added]);
      return key;
    },
    mark(key: string, state: PendingState): void {
      write(readAll().map((each) => (each.key === key ? { ...each, state } : each)));
    },
    /** Forgets the key of an action that has a final answer. */
    settle(key: string): void {
      write(readAll().filter((each) => each.key !== key));
    },
    /** Forgets the keys of the user's actions of some names: what they did has been seen. */
    forget(actions: readonly string[], isKept: (key: string) => boolean): void {
      const all = readAll();
      const isSeen = (each: PendingAction) => actions.includes(each.action) && !isKept(each.key);
      if (all.some(isSeen)) write(all.filter((each) => !isSeen(each)));
    },
    /** Forgets everything: the user has logged out. */
    clear: () => write([]),
    /** The user's pending actions of a name, oldest first. */
    allOf: (action: string) => readOwn().filter((each) => each.action === action),
  };
}
