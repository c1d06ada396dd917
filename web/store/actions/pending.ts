/** An action that was sent, and of which no final answer has come. */
export interface PendingAction {
  /** idempotency key */
  readonly key: string;
  readonly action: string;
  readonly input: unknown;
  /** id of the user, null without one: nobody goes on with what another user began in this tab */
  readonly owner: string | null;
}

/** `sessionStorage`, or a stand-in. */
type Store = Pick<Storage, 'getItem' | 'setItem'>;

const storageKey = 'holdfast.pending';
const pendingMax = 50;

/**
 * Idempotency keys of actions without a final answer. They survive a reload: the same action gets the same key until
 * it is answered, so a double click, a reload or a lost answer does nothing twice.
 */
export function createPendingActions(
  store: Store,
  newKey: () => string,
  ownerNow: () => string | null,
) {
  function read(): readonly PendingAction[] {
    try {
      return JSON.parse(store.getItem(storageKey) ?? '[]') as PendingAction[];
    } catch {
      return [];
    }
  }
  const isOwn = ({ owner }: PendingAction) => owner === ownerNow();
  const write = (all: readonly PendingAction[]) =>
    store.setItem(storageKey, JSON.stringify(all.slice(-pendingMax)));
  const same = (action: string, input: unknown) => {
    const text = JSON.stringify(input);
    return (each: PendingAction) => each.action === action && JSON.stringify(each.input) === text;
  };

  return {
    /** The key of an action: a new one, unless the same action is pending. */
    keyOf(action: string, input: unknown): string {
      const all = read();
      const known = all.filter(isOwn).find(same(action, input));
      if (known) return known.key;
      const key = newKey();
      write([...all, { key, action, input, owner: ownerNow() }]);
      return key;
    },
    /** Forgets the key of an action that has a final answer. */
    settle(key: string): void {
      write(read().filter((each) => each.key !== key));
    },
    /** The user's pending actions of a name, oldest first. */
    allOf: (action: string) => read().filter((each) => isOwn(each) && each.action === action),
  };
}
