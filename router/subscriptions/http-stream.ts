import type { IncomingMessage, ServerResponse } from 'node:http';
import { getOperationAST } from 'graphql';
import { parsed } from './accept.js';
import { type ClientStream, type Result, StreamEnd } from './client-stream.js';

export type HttpTransport = 'multipart' | 'sse';

const heartbeatEveryMs = 10_000;
const writeMaxMs = 20_000;

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
  const document = parsed(query);
  const name = typeof operationName === 'string' ? operationName : undefined;
  return document !== null && getOperationAST(document, name)?.operation === 'subscription';
}

interface Framing {
  readonly contentType: string;
  readonly opening: string;
  readonly heartbeat: string;
  frame(result: Result): string;
  /** what the client is told when the stream is ended from this side */
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

/**
 * Writes a stream until it ends or the client is gone; with a single result, that. Nothing is written
 * before what came before it has left this process: one who takes nothing for 20 s is let go.
 *
 * @param isStopping whether it ends because this process does: then the client is left to come again
 */
export async function writeStream(
  transport: HttpTransport,
  response: ServerResponse,
  results: ClientStream | readonly Result[],
  isStopping: () => boolean,
): Promise<void> {
  const { contentType, opening, heartbeat, ending, closing } = framings[transport];
  let writing = false;
  const write = async (text: string) => {
    writing = true;
    await written(response, text);
    writing = false;
  };
  const stop = () => void ('return' in results && results.return());
  response.once('close', stop);
  response.writeHead(200, {
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const beat = setInterval(() => {
    if (!writing) void write(heartbeat);
  }, heartbeatEveryMs);
  try {
    await write(opening);
    for await (const result of results) await write(textOf(transport, result));
    if (!isStopping()) await write(closing);
    else if (transport === 'multipart') await write(closing);
  } catch (error) {
    if (!(error instanceof StreamEnd)) throw error;
    await write(ending(error) + closing);
  } finally {
    clearInterval(beat);
    response.off('close', stop);
    response.end();
  }
}

function written(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const tooLong = setTimeout(() => response.destroy(), writeMaxMs);
    const done = () => {
      clearTimeout(tooLong);
      response.off('close', done);
      resolve();
    };
    response.once('close', done);
    response.write(text, done);
  });
}
