import type { IncomingMessage } from 'node:http';

/**
 * Whether a page may open a WebSocket, which browsers allow every page: those of this host and of
 * `CORS_ORIGINS`. Nothing is known of a user by cookies here, so a stranger's page could do no more
 * than anybody; it is refused all the same, as it is over HTTP. What is no browser sends no origin.
 */
export function isOriginAllowed({ headers }: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
