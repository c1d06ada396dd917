import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getOperationAST } from 'graphql';
import { parseOrNull } from '../../graphql-ast.js';
import { type ClientStream, type Result, StreamEnd } from '../feed/client-stream.js';

export type HttpTransport = 'multipart' | 'sse';

const heartbeatEveryMs = 10_000;
const writeMaxMs = 20_000;
const closeMaxMs = 1000;
const pollMs = 20;

/**
 * How a request wants a stream answered; null where an ordinary answer does. Clients accept several
 * things at once: urql all of them, whatever it asks.
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
  if (query === undefined) return isMultipart ? 'multipart' : null; // a persisted one
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
  // The delimiter comes right behind each part, or clients are one event behind.
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

const framed = new WeakMap<Result, Partial<Record<HttpTransport, string>>>();

/** The text of a result, made once for all who get it. */
function textOf(transport: HttpTransport, result: Result): string {
  const known = framed.get(result) ?? {};
  known[transport] ??= framings[transport].frame(result);
  framed.set(result, known);
  return known[transport];
}

/** The streams that are open over HTTP. */
export interface HttpStreams {
  /**
   * Writes a stream until it ends or the client is gone; with a single result, that. Nothing is
   * written before what came before it has left this process: one who takes nothing for 20 s is let go.
   */
  write(
    transport: HttpTransport,
    response: ServerResponse,
    results: ClientStream | readonly Result[],
  ): Promise<void>;
  /** Ends them, and leaves it to clients to come again; who does not read what is left is let go. */
  stop(): Promise<void>;
}

/** @param shutdownReason error for multipart clients at the end; SSE clients reconnect by themselves */
export function createHttpStreams(shutdownReason: () => StreamEnd): HttpStreams {
  const open = new Map<ServerResponse, () => void>();
  let stopping = false;

  return {
    async write(transport, response, results) {
      const { contentType, opening, heartbeat, ending, closing } = framings[transport];
      const stream = 'return' in results ? results : undefined;
      let writing = false;
      let isCutOff = false;
      const write = async (text: string) => {
        writing = true;
        await writeWithTimeout(response, text, stopping ? closeMaxMs : writeMaxMs);
        writing = false;
      };
      const closeStream = () => void stream?.return();
      const end = AsyncLocalStorage.bind(() => {
        isCutOff = transport === 'sse' && stream !== undefined;
        if (isCutOff) closeStream();
        else stream?.end(shutdownReason());
      });
      response.once('close', closeStream);
      open.set(response, end);
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
        for await (const result of results) await write(textOf(transport, result));
        if (!isCutOff) await write(closing);
      } catch (error) {
        if (!(error instanceof StreamEnd)) throw error;
        await write(ending(error) + closing);
      } finally {
        clearInterval(heartbeatTimer);
        open.delete(response);
        response.off('close', closeStream);
        response.end();
      }
    },
    async stop() {
      stopping = true;
      for (const end of open.values()) end();
      const deadlineMs = performance.now() + closeMaxMs;
      while (open.size > 0 && performance.now() < deadlineMs) await sleep(pollMs);
      for (const response of open.keys()) response.destroy();
    },
  };
}

function writeWithTimeout(response: ServerResponse, text: string, maxMs: number): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), maxMs);
    const done = () => {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    };
    response.once('close', done);
    response.write(text, done);
  });
}
