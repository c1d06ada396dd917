import type { IncomingMessage, ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { callerHeader } from '../subgraphs/shared/auth.js';
import { tryAgain } from '../subgraphs/shared/errors.js';
import { readBody } from '../subgraphs/shared/http.js';
import type { Logger } from '../subgraphs/shared/logger.js';
import { requestTrace } from '../subgraphs/shared/request-context.js';

const connectionsMax = 16;
const timeoutMs = 10_000;
const bodyMaxBytes = 256 * 1024;

// They are about one connection, not about the message; or the router's own to say.
const notPassedOn = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
  callerHeader,
]);

/** Hands requests to a subgraph as they are, body untouched, with the router's credentials. */
export function createPassOn(url: string, credentials: string, logger: Logger) {
  const pool = new Pool(new URL(url).origin, { connections: connectionsMax });
  return {
    /** @throws HttpError 413; `TRY_AGAIN` when no answer came in time */
    async passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const body = await readBody(request, bodyMaxBytes);
      const kept = Object.entries(request.headers).filter(([name]) => !notPassedOn.has(name));
      const requestId = requestTrace.getStore()?.requestId as string;
      const headers = Object.fromEntries(kept);
      try {
        const reply = await pool.request({
          method: request.method as 'POST',
          path: request.url ?? '/',
          headers: { ...headers, 'x-request-id': requestId, [callerHeader]: credentials },
          body,
          signal: AbortSignal.timeout(timeoutMs),
        });
        const answer = Buffer.from(await reply.body.arrayBuffer());
        const type = String(reply.headers['content-type'] ?? 'application/json; charset=utf-8');
        response.writeHead(reply.statusCode, { 'content-type': type }).end(answer);
      } catch (error) {
        logger.warn({ reason: (error as Error).message }, 'a request was not passed on');
        throw tryAgain('A part of the system is away or busy; ask again.');
      }
    },
    close: () => pool.close(),
  };
}
