import { signal } from '@preact/signals';
import { ApiError } from '../graph/errors.js';
import { type NewSessionFragment, RefreshSessionDocument } from '../graph/operations.js';
import { send } from '../graph/send.js';
import { sleep } from '../graph/socket.js';
import { followOtherTabs, readSession, writeSession } from './stored-session.js';

interface AccessToken {
  readonly token: string;
  /** by `performance.now()`: the clock of this machine may be wrong */
  readonly usableUntilMs: number;
}

// They are valid for 15 minutes (API).
const usableMs = 14 * 60_000;
const retryAfterMs = 2000;

let access: AccessToken | null = null;
let refreshing: Promise<string | null> | undefined;

/** Whether the session ended without the user's doing. */
export const hasSessionEnded = signal(false);

const listeners = new Set<() => void>();
/** Calls `listener` when the user of this tab changes: connections of the former one are closed. */
export const onUserChange = (listener: () => void) => listeners.add(listener);

/** Stores a new session, for all tabs. */
export function beginSession({ accessToken: token, refreshToken, user }: NewSessionFragment): void {
  const isOtherUser = readSession()?.user.id !== user.id;
  access = { token, usableUntilMs: performance.now() + usableMs };
  hasSessionEnded.value = false;
  writeSession({ refreshToken, user });
  if (isOtherUser) notifyUserChange();
}

/** Removes the session, from all tabs. */
export function endSession(): void {
  access = null;
  writeSession(null);
  notifyUserChange();
}

/**
 * An access token that is still usable, refreshed if necessary; null without a session.
 *
 * @throws ConnectionLost, ApiError if it cannot be refreshed at the moment
 */
export async function accessToken(): Promise<string | null> {
  if (access && performance.now() < access.usableUntilMs) return access.token;
  if (!readSession()) return null;
  refreshing ??= refresh().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

/** Forgets an access token that the API refused, unless it was replaced meanwhile. */
export function refuseToken(token: string | null): void {
  if (access?.token === token) access = null;
}

/** An access token as soon as it can be had; null without a session. */
export async function awaitAccessToken(): Promise<string | null> {
  for (;;) {
    try {
      return await accessToken();
    } catch (error) {
      await sleep((error instanceof ApiError && error.retryAfterMs) || retryAfterMs);
    }
  }
}

/** One tab at a time: each refresh token is used once, and its successor is read by the next tab. */
function refresh(): Promise<string | null> {
  return withLock(async () => {
    const stored = readSession();
    if (!stored) return null;
    const { refreshToken } = stored;
    const session = await exchange(refreshToken);
    // Another tab may have logged out meanwhile: that needs no lock.
    if (readSession()?.refreshToken !== refreshToken) return null;
    if (session) {
      beginSession(session);
      return session.accessToken;
    }
    hasSessionEnded.value = true;
    endSession();
    return null;
  });
}

/** The successor of a refresh token; null if it is not valid any more. */
async function exchange(refreshToken: string): Promise<NewSessionFragment | null> {
  try {
    const { refreshSession } = await send(RefreshSessionDocument, { refreshToken }, null);
    return refreshSession.__typename === 'Session' ? refreshSession : null;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'BAD_USER_INPUT') return null;
    throw error;
  }
}

/** Browsers have Web Locks only in secure contexts; the API tolerates a second use within 30 s. */
function withLock<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request('holdfast.session', work) : work();
}

function notifyUserChange(): void {
  for (const listener of listeners) listener();
}

followOtherTabs(() => {
  access = null;
  notifyUserChange();
});
