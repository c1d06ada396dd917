/** A stream or WebSocket, which emits `close` once. */
interface Closable {
  readonly destroyed?: boolean;
  readonly closed?: boolean;
  /** of a WebSocket: 3 is CLOSED */
  readonly readyState?: unknown;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

const webSocketClosed = 3;

export const isClosed = ({ destroyed, closed, readyState }: Closable): boolean =>
  destroyed === true || closed === true || readyState === webSocketClosed;

/**
 * Calls `f` once, when the stream closes, or at once if it has closed: after an `await` its `close` event may
 * have passed.
 *
 * @returns a function after which `f` is no longer called
 */
export function whenClosed(stream: Closable, f: () => void): () => void {
  if (isClosed(stream)) {
    f();
    return () => {};
  }
  stream.once('close', f);
  return () => void stream.off('close', f);
}
