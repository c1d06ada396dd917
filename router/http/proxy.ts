import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Pool } from 'undici';
import { callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { type DomainError, outcomeUnknown, tryAgain } from '../../subgraphs/shared/errors.js';
import { ConnectionSlots } from '../../subgraphs/shared/http/connection-slots.js';
import { readBody } from '../../subgraphs/shared/http/http.js';
import { clientKeepAlive } from '../../subgraphs/shared/http/keep-alive.js';
import { readsHeader } from '../../subgraphs/shared/http/reads-header.js';
import { isClosed, whenClosed } from '../../subgraphs/shared/http/when-closed.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { downloadPace, requirePace } from './download-pace.js';
import { limitedStart } from './limited-start.js';

const connectionsDefault = 32;
/** how many requests are in flight for each connection; those beyond the connections wait, with small bodies in memory */
const requestsPerConnectionMax = 4;
/** how long a request waits for a connection */
const startMaxMs = 1000;
// Counted from the last byte of the request: a large file is processed after it.
const answerMaxMs = 60_000;
const smallMaxBytes = 16_384;

// Hop-by-hop headers, and headers that the router sets itself.
const notForwarded = [
  'connection',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
  callerHeader,
  readsHeader,
];

const reads = ['GET', 'HEAD'];

export interface SubgraphProxy {
  /**
   * Forwards a request to the same path and its response back. Both are streamed with backpressure, unless
   * they are small. If the client disconnects, the request is aborted.
   *
   * @throws without a response: `OUTCOME_UNKNOWN` if something other than a read was sent, else `TRY_AGAIN`
   */
  forward(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param url the subgraph's GraphQL endpoint
 * @param credentials of the router
 * @param limits how long a client may neither send nor read anything; how fast it has to read; how many requests are
 *   forwarded at once
 */
export function createSubgraphProxy(
  name: string,
  url: string,
  credentials: string,
  logger: Logger,
  { idleMaxMs = answerMaxMs, pace = downloadPace, connectionsMax = connectionsDefault } = {},
): SubgraphProxy {
  const pool = new Pool(new URL(url).origin, {
    connections: connectionsMax,
    ...clientKeepAlive,
    headersTimeout: answerMaxMs,
    bodyTimeout: answerMaxMs,
  });
  const slots = new ConnectionSlots(connectionsMax);
  let inFlight = 0;
  return {
    async forward(request, response, requestId) {
      if (inFlight >= requestsPerConnectionMax * connectionsMax) throw failureOf(name, false);
      inFlight += 1;
      const { headers, method = 'GET', url: path = '/', socket } = request;
      const clientGone = new AbortController();
      const unwatch = whenClosed(socket, () => clientGone.abort());
      let endPace = () => {};
      // undici's timeouts stop while nobody reads, and all files share its connections.
      response.setTimeout(idleMaxMs, () => response.destroy());
      let isSent = false;
      const onSend = () => {
        isSent = true;
      };
      try {
        const answer = await pool.compose(limitedStart(slots, startMaxMs, onSend)).request({
          method,
          path,
          headers: {
            ...endToEnd(headers),
            'x-request-id': requestId,
            [callerHeader]: credentials,
          },
          body: await bodyOf(request),
          signal: clientGone.signal,
        });
        const small = isSmall(answer.headers) ? await answer.body.bytes() : null;
        response.writeHead(answer.statusCode, endToEnd(answer.headers));
        if (small) response.end(small);
        else {
          endPace = requirePace(response, pace);
          await pipeline(answer.body, response);
        }
      } catch (error) {
        if (isClosed(socket)) return; // the client went away
        logger.warn(
          { subgraph: name, reason: (error as Error).message },
          'forwarded request failed',
        );
        // A client that is still sending would not see the response otherwise.
        request.resume();
        throw failureOf(name, isSent && !reads.includes(method));
      } finally {
        inFlight -= 1;
        endPace();
        unwatch();
      }
    },
    close: () => pool.close(),
  };
}

const failureOf = (subgraph: string, mayHaveHappened: boolean): DomainError =>
  mayHaveHappened
    ? outcomeUnknown(
        'It is not known whether this happened. Send it again with the same Idempotency-Key, or check first.',
      )
    : tryAgain(`The ${subgraph} service is temporarily unavailable. Please retry.`);

/** Of a webhook, for example: it is read at once, which costs less than streams. */
const isSmall = (headers: IncomingHttpHeaders) =>
  Number(headers['content-length'] ?? Number.NaN) <= smallMaxBytes;

/** A large one is a stream of its own: undici destroys it on an error, and the client still has to get a response. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | Readable | null> {
  const { headers } = request;
  if (isSmall(headers)) return readBody(request, smallMaxBytes);
  const hasBody = headers['transfer-encoding'] !== undefined || 'content-length' in headers;
  if (!hasBody) return null;
  return Readable.from(request.iterator({ destroyOnReturn: false }), { objectMode: false });
}

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const hopByHop = headers.connection?.toLowerCase().split(/\s*,\s*/) ?? [];
  const forwarded = Object.entries(headers).filter(
    ([header, value]) =>
      value !== undefined && !notForwarded.includes(header) && !hopByHop.includes(header),
  );
  return Object.fromEntries(forwarded) as Record<string, string | string[]>;
}
