import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { isDatabaseUnavailable, isTooSlow } from '../database/errors.js';
import { DomainError, OutcomeUnknown, outcomeUnknown, tryAgain, UpstreamFault } from '../errors.js';
import type { Logger } from '../observability/logger.js';
import { HttpError, sendPlainError } from './http.js';

export interface HttpExchange<C> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** the matches of the groups in the route's path */
  readonly params: readonly string[];
  readonly context: C;
}

/** A route beside GraphQL, streamed, for the user of the token in the request. */
export interface HttpRoute<C> {
  readonly path: RegExp;
  /** method → its handler; any other gets 405 */
  readonly methods: Readonly<Record<string, (exchange: HttpExchange<C>) => Promise<void>>>;
}

/**
 * Handles a request to a route. An error is sent as `{ code, message, … }` once the request was read
 * completely: a client that is still sending would not see the response. After 408 nobody waits for it any more.
 */
export async function serveRoute<C>(
  { methods }: HttpRoute<C>,
  exchange: Omit<HttpExchange<C>, 'context'>,
  contextOf: () => Promise<C>,
  logger: Logger,
): Promise<void> {
  const { request, response } = exchange;
  try {
    const context = await contextOf();
    const method = methods[request.method ?? ''];
    if (!method) {
      response.setHeader('allow', Object.keys(methods).join(', '));
      throw new HttpError(405, `Method not allowed: ${request.method}`);
    }
    await method({ ...exchange, context });
  } catch (error) {
    if (error instanceof HttpError && error.status === 408)
      response.setHeader('connection', 'close');
    else {
      request.resume();
      await finished(request).catch(() => {});
    }
    sendPlainError(response, clientError(error, logger));
  }
}

function clientError(error: unknown, logger: Logger): DomainError | HttpError {
  if (error instanceof DomainError || error instanceof HttpError) return error;
  if (isDatabaseUnavailable(error) || isTooSlow(error) || error instanceof UpstreamFault) {
    logger.warn({ err: error }, 'dependency unavailable');
    return tryAgain('Service temporarily unavailable. Please retry.');
  }
  logger.error({ err: error }, 'request failed');
  if (error instanceof OutcomeUnknown) return outcomeUnknown();
  return new HttpError(500, 'Something went wrong on our side.');
}
