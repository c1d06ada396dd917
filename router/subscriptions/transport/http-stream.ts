import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getOperationAST } from 'graphql';
import { isClosed, whenClosed } from '../../../subgraphs/shared/http/when-closed.js';
import { parseOrNull } from '../../graphql-ast.js';
import { type ClientStream, type Result, StreamEnd } from '../feed/client-stream.js';

export type HttpTransport = 'multipart' | 'sse';

const heartbeatEveryMs = 10_000;
const writeMaxMs = 20_000;
const closeMaxMs = 1000;
const pollMs = 20;

/**
 * The stream transport of a request; null if it takes an ordinary response. A client may accept several
 * content types: urql accepts all of them for every operation.
 */
export function transportOf(request: IncomingMessage, body: unknown): HttpTransport | null {
  const accept = request.headers.accept?.toLowerCase() ?? '*/*';
  const isPost = request.method === 'POST';
  if (!isPost && request.method !== 'GET') return null;
  const sse = accept.includes('text/event-stream');
  const json = /application\/(graphql-response\+)?json|\*\/\*/.test(accept);
  if (sse && !json) return 'sse';
  if (!isPost) return null;
  const { query, operationName } = (body ?? {}) as Record<string, unknown>;
  const isMultipart = accept.includes('subscriptionspec');
  if (query === undefined) return isMultipart ? 'multipart' : null; // a persisted query
  if (typeof query !== 'string' || !isSubscription(query, operationName)) return null;
  if (isMultipart) return 'multipart';
  if (sse) return 'sse';
  return /multipart\/mixed|\*\/\*/.test(accept) ? 'multipart' : null;
}

function isSubscription(query: string, operationName: unknown): boolean {
  if (!/\bsubscription\b/.test(query)) return false;
  const document = parseOrNull(query);
  const name = typeof operationName === 'string' ? operationName : undefined;
  return document !== null && getOperationAST(document, name)?.operation === 'subscription';
}

interface Framing {
  readonly contentType: string;
  readonly opening: string;
  readonly heartbeat: string;
  frame(result: Result): string;
  /** the error that the client gets when the server ends the stream */
  ending(end: StreamEnd): string;
  readonly closing: string;
}

const delimiter = '\r\n--graphql';
const part = (body: string) => `\r\ncontent-type: application/json\r\n\r\n${body}${delimiter}`;

const framings: Readonly<Record<HttpTransport, Framing>> = {
  // The delimiter is sent directly after each part; otherwise clients are one event late.
  multipart: {
    contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
    opening: delimiter,
    heartbeat: part('{}'),
    frame: (result) => part(`{"payload":${JSON.stringify(result)}}`),
    ending: ({ errors }) => part(JSON.stringify({ payload: null, errors })),
    closing: '--\r\n',
  },
  sse: {
    contentType: 'text/event-stream; charset=utf-8',
    opening: ':\n\n',
    heartbeat: ':\n\n',
    frame: (result) => `event: next\ndata: ${JSON.stringify(result)}\n\n`,
    ending: ({ errors }) => `event: next\ndata: ${JSON.stringify({ errors })}\n\n`,
    closing: 'event: complete\ndata: \n\n',
  },
};

const framedTexts = new WeakMap<Result, Partial<Record<HttpTransport, string>>>();

/** The framed text of a result, created once for all clients of a feed. */
function framedTextOf(transport: HttpTransport, result: Result): string {
  const texts = framedTexts.get(result) ?? {};
  texts[transport] ??= framings[transport].frame(result);
  framedTexts.set(result, texts);
  return texts[transport];
}

/** The open streams over HTTP. */
export interface HttpStreams {
  /**
   * Writes a stream, or the given results, until the end or until the client disconnects. Each write waits
   * until the previous one has left this process. A client that reads nothing for 20 s is disconnected.
   */
  write(
    transport: HttpTransport,
    response: ServerResponse,
    results: ClientStream | readonly Result[],
  ): Promise<void>;
  /** Ends all streams; clients reconnect. Clients that do not read the rest within 1 s are disconnected. */
  stop(): Promise<void>;
}

/** @param shutdownReason error for multipart clients at the end; SSE clients reconnect by themselves */
export function createHttpStreams(shutdownReason: () => StreamEnd): HttpStreams {
  /** how to end each stream, and the socket of its client */
  const open = new Set<{ readonly socket: Socket; end(): void }>();
  let stopping = false;

  return {
    async write(transport, response, results) {
      const { contentType, opening, heartbeat, ending, closing } = framings[transport];
      const stream = 'return' in results ? results : undefined;
      // The response of a pipelined request emits no `close` before its turn has come.
      const { socket } = response.req;
      let writing = false;
      let isAborted = false;
      const write = async (text: string) => {
        writing = true;
        await writeWithTimeout(response, socket, text, stopping ? closeMaxMs : writeMaxMs);
        writing = false;
      };
      const closeStream = () => void stream?.return();
      const end = AsyncLocalStorage.bind(() => {
        isAborted = transport === 'sse' && stream !== undefined;
        if (isAborted) closeStream();
        else stream?.end(shutdownReason());
      });
      const unwatch = whenClosed(socket, closeStream);
      const entry = { socket, end };
      open.add(entry);
      if (stopping) end();
      response.writeHead(200, {
        'content-type': contentType,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      const heartbeatTimer = setInterval(() => {
        if (!writing) void write(heartbeat);
      }, heartbeatEveryMs);
      try {
        await write(opening);
        for await (const result of results) await write(framedTextOf(transport, result));
        if (!isAborted) await write(closing);
      } catch (error) {
        if (!(error instanceof StreamEnd)) throw error;
        await write(ending(error) + closing);
      } finally {
        clearInterval(heartbeatTimer);
        open.delete(entry);
        unwatch();
        response.end();
      }
    },
    async stop() {
      stopping = true;
      for (const { end } of open) end();
      const deadlineMs = performance.now() + closeMaxMs;
      while (open.size > 0 && performance.now() < deadlineMs) await sleep(pollMs);
      for (const { socket } of open) socket.destroy();
    },
  };
}

function writeWithTimeout(
  response: ServerResponse,
  socket: Socket,
  text: string,
  maxMs: number,
): Promise<void> {
  if (isClosed(socket)) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), maxMs);
    const done = () => {
      clearTimeout(timer);
      unwatch();
      resolve();
    };
    const unwatch = whenClosed(socket, done);
    response.write(text, done);
  });
}
