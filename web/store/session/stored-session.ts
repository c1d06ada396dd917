import { signal } from '@preact/signals';
import type { NewSessionFragment } from '../graph/operations.js';

export type SessionUser = NewSessionFragment['user'];

/** What all tabs share. Access tokens stay in the memory of each tab. */
interface StoredSession {
  readonly refreshToken: string;
  readonly user: SessionUser;
}

const storageKey = 'holdfast.session';

export function readSession(): StoredSession | null {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? 'null') as StoredSession | null;
  } catch {
    return null;
  }
}

/** The signed-in user, in all tabs. */
export const currentUser = signal<SessionUser | null>(readSession()?.user ?? null);

export function writeSession(session: StoredSession | null): void {
  if (session) localStorage.setItem(storageKey, JSON.stringify(session));
  else localStorage.removeItem(storageKey);
  setUser(session?.user ?? null);
}

/** Shows a changed name of the user, in all tabs. */
export function renameUser(name: string): void {
  const session = readSession();
  if (session) writeSession({ ...session, user: { ...session.user, name } });
}

/** Keeps the identity of an unchanged user, so that nothing is loaded again when only tokens change. */
function setUser(user: SessionUser | null): void {
  if (JSON.stringify(user) !== JSON.stringify(currentUser.value)) currentUser.value = user;
}

/** Calls `onOtherUser` when another tab logs in as someone else, or logs out. */
export function followOtherTabs(onOtherUser: () => void): void {
  window.addEventListener('storage', ({ key }) => {
    if (key !== storageKey && key !== null) return;
    const user = readSession()?.user ?? null;
    if (user?.id !== currentUser.value?.id) onOtherUser();
    setUser(user);
  });
}
