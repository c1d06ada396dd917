import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ApolloServer, type BaseContext, HeaderMap } from '@apollo/server';
import { DomainError } from '../errors.js';
import { requestTrace } from '../observability/request-context.js';
import { whenClosed } from './when-closed.js';

/** A request that cannot be read; `status` is the HTTP status to answer with. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * @throws HttpError 413 once the body is larger than `maxBytes`, 400 if it ends early. After 413 the rest
 *   is read and discarded: a client that is still sending would not see the response otherwise.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const failIfIncomplete = () => reject(new HttpError(400, 'The request body ended early.'));
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      reject(new HttpError(413, `The request body is larger than ${maxBytes} bytes.`));
    });
    request.once('error', failIfIncomplete);
    const stopWatching = whenClosed(request, failIfIncomplete);
    request.once('end', () => {
      // Else each request makes an error with a stack when it is closed, which nobody reads.
      stopWatching();
      resolve(Buffer.concat(chunks));
    });
  });
}

/**
 * The body of a GraphQL request, as JSON; undefined if there is none.
 *
 * @throws HttpError
 */
export async function readGraphQLBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<unknown> {
  if (request.method !== 'POST') return undefined;
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new HttpError(415, 'The request body must have the content type application/json.');
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new HttpError(415, `Unsupported content encoding: ${encoding}`);
  }
  const body = await readBody(request, maxBytes);
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new HttpError(400, 'The request body is not valid JSON.');
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    // Else it is sent in chunks.
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

const codeOf = ({ status }: HttpError) => (status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'BAD_REQUEST');

/** The error code that a client receives for what was thrown. */
export function codeOfThrown(error: unknown): string {
  if (error instanceof HttpError) return codeOf(error);
  return error instanceof DomainError ? String(error.extensions.code) : 'INTERNAL_SERVER_ERROR';
}

/** Responds with a GraphQL error, for requests that fail before GraphQL execution. */
export function sendHttpError(response: ServerResponse, error: HttpError): void {
  const extensions = { code: codeOf(error), requestId: requestTrace.getStore()?.requestId };
  sendJson(response, error.status, { errors: [{ message: error.message, extensions }] });
}

const statusByCode: Record<string, number> = {
  UNAUTHENTICATED: 401,
  UNKNOWN_CALLER: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  RATE_LIMITED: 429,
  TRY_AGAIN: 503,
  OUTCOME_UNKNOWN: 500,
};

/** The `Retry-After` header: whole seconds, rounded up. */
export const retryAfterSeconds = (retryAfterMs: number) => String(Math.ceil(retryAfterMs / 1000));

function prepareDomainError(response: ServerResponse, { extensions }: DomainError): number {
  const { code, retryAfterMs } = extensions;
  if (typeof retryAfterMs === 'number' && !response.headersSent) {
    response.setHeader('retry-after', retryAfterSeconds(retryAfterMs));
  }
  return statusByCode[code as string] ?? 400;
}

export function sendDomainError(response: ServerResponse, error: DomainError): void {
  const extensions = { ...error.extensions, requestId: requestTrace.getStore()?.requestId };
  sendJson(response, prepareDomainError(response, error), {
    errors: [{ ...error.toJSON(), extensions }],
  });
}

/** Responds with `{ code, message, … }`, for routes without GraphQL; a response that has begun is aborted. */
export function sendPlainError(response: ServerResponse, error: DomainError | HttpError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { message } = error;
  const requestId = requestTrace.getStore()?.requestId;
  if (error instanceof DomainError) {
    const status = prepareDomainError(response, error);
    sendJson(response, status, { ...error.extensions, message, requestId });
    return;
  }
  const code = codeOf(error);
  sendJson(response, error.status, { code, message, requestId });
}

/** `?query=…` of a URL, or ''. */
function searchOf(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start);
}

/** Passes one HTTP request to Apollo Server and writes its response, which must not be cached. */
export async function serveGraphQL<C extends BaseContext>(
  apollo: ApolloServer<C>,
  request: IncomingMessage,
  response: ServerResponse,
  options: { body: unknown; context: C },
): Promise<void> {
  const headers = new HeaderMap();
  for (const name in request.headers) {
    const value = request.headers[name];
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const reply = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: (request.method ?? 'GET').toUpperCase(),
      headers,
      search: searchOf(request.url ?? '/'),
      body: options.body,
    },
    context: async () => options.context,
  });
  const status = reply.status ?? 200;
  response.statusCode = status;
  response.setHeader('cache-control', 'no-store');
  for (const [name, value] of reply.headers) response.setHeader(name, value);
  if (reply.body.kind === 'complete') {
    response.end(reply.body.string);
    return;
  }
  for await (const chunk of reply.body.asyncIterator) response.write(chunk);
  response.end();
}
