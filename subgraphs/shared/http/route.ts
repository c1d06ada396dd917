import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { isDatabaseAway, isTooSlow } from '../database/errors.js';
import { DomainError, tryAgain, UpstreamFault } from '../errors.js';
import type { Logger } from '../observability/logger.js';
import { HttpError, sendPlainError } from './http.js';

export interface HttpExchange<C> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** what the groups of the route's path matched */
  readonly params: readonly string[];
  readonly context: C;
}

/** What a subgraph serves beside GraphQL, streamed, for the user whose token comes with it. */
export interface HttpRoute<C> {
  readonly path: RegExp;
  /** method → what it does; any other is answered 405 */
  readonly methods: Readonly<Record<string, (exchange: HttpExchange<C>) => Promise<void>>>;
}

/**
 * Does what a request asks of a route; what is thrown is answered as `{ code, message, … }`, once
 * the request was read: who is still sending would not see the answer.
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
      throw new HttpError(405, `${request.method} is not done here.`);
    }
    await method({ ...exchange, context });
  } catch (error) {
    request.resume();
    await finished(request).catch(() => {});
    sendPlainError(response, tellable(error, logger));
  }
}

function tellable(error: unknown, logger: Logger): DomainError | HttpError {
  if (error instanceof DomainError || error instanceof HttpError) return error;
  if (isDatabaseAway(error) || isTooSlow(error) || error instanceof UpstreamFault) {
    logger.warn({ err: error }, 'a part of the system did not answer');
    return tryAgain('A part of the system is away or busy; ask again.');
  }
  logger.error({ err: error }, 'a request failed');
  return new HttpError(500, 'Something went wrong on our side.');
}
