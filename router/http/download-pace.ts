import type { ServerResponse } from 'node:http';

/** A client has to take `bytesMin` in each `windowMs` in which more waits for it. */
export interface DownloadPace {
  readonly windowMs: number;
  readonly bytesMin: number;
}
/**
 * That of uploads, over a longer time: a full socket reports progress only when a third of its send buffer is free,
 * which may be some 100 KiB at once.
 */
export const downloadPace: DownloadPace = { windowMs: 60_000, bytesMin: 6 * 64 * 1024 };

/**
 * Ends the connection of a client that reads too slowly, and would keep the place of others. Windows in which it has
 * to wait for the answer do not count.
 *
 * @returns a function that ends the watch
 */
export function requirePace(
  response: ServerResponse,
  { windowMs, bytesMin }: DownloadPace,
): () => void {
  const { socket } = response;
  if (!socket) return () => {};
  const unsent = () => response.writableLength + socket.writableLength;
  const sent = () => socket.bytesWritten - socket.writableLength;
  let before = { sent: sent(), hasMore: false };
  const timer = setInterval(() => {
    const now = { sent: sent(), hasMore: unsent() > 0 };
    if (before.hasMore && now.hasMore && now.sent - before.sent < bytesMin) response.destroy();
    before = now;
  }, windowMs);
  return () => clearInterval(timer);
}
