/** A log-in, as far as the answer showed it. */
export interface Session {
  readonly token: string;
  /** of its user; undefined if the operation did not select it */
  readonly name?: string;
  readonly role?: string;
}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: ReadonlyArray<{ readonly extensions?: { readonly code?: unknown } }>;
}

export const isRefused = ({ errors = [] }: Answer): boolean =>
  errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');

/**
 * The session whose token the page sends with operations: that of the last answer that had one. It is kept in
 * memory only, so a reload of the page forgets it, and no other page of this origin can read it.
 */
export function createSessionStore() {
  let session: Session | null = null;
  let wasRefused = false;
  const listeners = new Set<() => void>();
  const set = (next: Session | null, isRefusal = false) => {
    session = next;
    wasRefused = isRefusal;
    for (const listener of listeners) listener();
  };
  return {
    current: () => session,
    /** whether the last session was refused, and nothing was sent without a token since */
    wasRefused: () => wasRefused,
    /** @returns a function that ends the subscription */
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    forget: () => set(null),
    /**
     * @param sent the session whose token was sent, which is forgotten if it was refused; null if there was none to
     *   send, undefined for an operation with which none is sent
     */
    learn(answer: Answer, sent: Session | null | undefined) {
      const opened = sessionIn(answer);
      if (opened) set(opened);
      else if (sent && sent === session && isRefused(answer)) set(null, true);
      else if (sent === null && wasRefused) set(session);
    },
  };
}
export type SessionStore = ReturnType<typeof createSessionStore>;

/** The `Session` that a root field returned. */
function sessionIn({ data }: Answer): Session | null {
  for (const value of Object.values(data ?? {})) {
    const { accessToken: token, user } = (value ?? {}) as {
      accessToken?: unknown;
      user?: Pick<Session, 'name' | 'role'>;
    };
    if (typeof token === 'string') return { token, name: user?.name, role: user?.role };
  }
  return null;
}
