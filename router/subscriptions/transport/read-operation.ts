import type { IncomingMessage } from 'node:http';
import { getOperationAST } from 'graphql';
import { z } from 'zod';
import { HttpError } from '../../../subgraphs/shared/http/http.js';
import { parseOrNull } from '../../graphql-ast.js';
import type { OperationRequest } from './accept.js';

const operationShape = z.object({
  query: z.string().optional(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * The operation of an HTTP request for a stream, by POST or, as browsers' EventSource asks, by GET.
 *
 * @throws HttpError for what is none, and for a mutation by GET
 */
export function operationOf(request: IncomingMessage, body: unknown): OperationRequest {
  const isPost = request.method === 'POST';
  if (isPost && !/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'The content type must be application/json.');
  }
  const operation = operationShape.safeParse(isPost ? body : parameters(request));
  if (!operation.success) throw new HttpError(400, 'Not a GraphQL request.');
  if (!isPost) refuseMutation(operation.data);
  return operation.data;
}

/** The document that a request sends, if any, however it wants its answer. */
export function documentOf(request: IncomingMessage, body: unknown): string | undefined {
  if (request.method === 'POST') {
    const { query } = (body ?? {}) as Record<string, unknown>;
    return typeof query === 'string' ? query : undefined;
  }
  return new URL(request.url ?? '/', 'http://localhost').searchParams.get('query') ?? undefined;
}

function refuseMutation({ query = '', operationName }: OperationRequest): void {
  const document = parseOrNull(query);
  if (document && getOperationAST(document, operationName)?.operation === 'mutation') {
    throw new HttpError(405, 'Mutations are not allowed by GET.');
  }
  if (query === '') throw new HttpError(400, 'The query is missing.');
}

function parameters(request: IncomingMessage): Record<string, unknown> {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const given: Record<string, unknown> = Object.fromEntries(searchParams);
  for (const name of ['variables', 'extensions']) {
    const text = searchParams.get(name);
    if (text === null) continue;
    try {
      given[name] = JSON.parse(text);
    } catch {
      throw new HttpError(400, `The ${name} must be JSON.`);
    }
  }
  return given;
}
