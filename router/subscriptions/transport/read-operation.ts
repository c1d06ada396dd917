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
 * The operation of an HTTP request for a stream: POST, or GET from the EventSource of browsers.
 *
 * @throws HttpError if the request has no valid operation, or has a mutation by GET
 */
export function readOperation(request: IncomingMessage, body: unknown): OperationRequest {
  const isPost = request.method === 'POST';
  const operation = operationShape.safeParse(isPost ? body : readSearchParameters(request));
  if (!operation.success) throw new HttpError(400, 'Not a GraphQL request.');
  if (!isPost) refuseMutation(operation.data);
  return operation.data;
}

/** The text of the operation in a request, whatever response it accepts; undefined if there is none. */
export function readQuery(request: IncomingMessage, body: unknown): string | undefined {
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

function readSearchParameters(request: IncomingMessage): Record<string, unknown> {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const values: Record<string, unknown> = Object.fromEntries(searchParams);
  for (const name of ['variables', 'extensions']) {
    const text = searchParams.get(name);
    if (text === null) continue;
    try {
      values[name] = JSON.parse(text);
    } catch {
      throw new HttpError(400, `The ${name} must be JSON.`);
    }
  }
  return values;
}
