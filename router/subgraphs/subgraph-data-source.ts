import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { Pool } from 'undici';
import { callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { badInput, tryAgain } from '../../subgraphs/shared/errors.js';
import { clientKeepAlive } from '../../subgraphs/shared/http/keep-alive.js';
import { mayLag, readsHeader } from '../../subgraphs/shared/http/reads-header.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { isTimeout, retrying } from '../../subgraphs/shared/resilience/retry.js';
import { withTimeout } from '../../subgraphs/shared/resilience/with-timeout.js';
import type { RouterContext } from '../context.js';
import { type Breaker, createBreaker, isOpenCircuit } from './circuit-breaker.js';
import { type Deadline, DeadlineExceeded, withDeadline } from './deadlines.js';
import { post } from './post.js';
import type { SingleFlight } from './single-flight.js';

type GatewayGraphQLResponse = Awaited<ReturnType<GraphQLDataSource['process']>>;

export interface SourceSettings {
  readonly name: string;
  readonly url: string;
  readonly credentials: string;
  /** timeout of one request to the subgraph */
  readonly timeoutMs: number;
  /** shared by all subgraphs: a client reads its own writes to one also through the others */
  readonly singleFlight: SingleFlight<string>;
  readonly logger: Logger;
}

const connectionsMax = 128;
const answerMaxBytes = 8 * 1024 * 1024;
const closeMaxMs = 1000;

const isMutation = (query: string | undefined) => /^\s*mutation\b/.test(query ?? '');
/** Whether the client's operation is a query: a mutation returns what it wrote, from whichever subgraph. */
const isQueryOperation = (options: GraphQLDataSourceProcessOptions<RouterContext>) =>
  'incomingRequestContext' in options &&
  options.incomingRequestContext?.operation?.operation === 'query';
const tooLarge = 'the response would be too large; select fewer fields, or smaller pages';
const isTooLarge = (error: unknown) =>
  (error as { code?: string }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';
/** Whether the subgraph is at fault, not the size or the deadline of the request. */
const isSubgraphFault = (error: unknown) =>
  !isTooLarge(error) && !(error instanceof DeadlineExceeded && !error.isSubgraphTimeout);
// For queries only: mutations are sent once.
const retry = retrying(
  1,
  (error) => !isTooLarge(error) && !isTimeout(error) && !isOpenCircuit(error),
);

/**
 * Sends the router's request to one subgraph, over kept-alive connections, with the router's credentials,
 * the user's token and the request id. Equal queries of one identity are in flight once.
 */
export class SubgraphDataSource implements GraphQLDataSource<RouterContext> {
  readonly #origin: string;
  readonly #path: string;
  readonly #breaker: Breaker;
  #pool: Pool | undefined;

  constructor(private readonly settings: SourceSettings) {
    const { name, url, logger } = settings;
    const { origin, pathname, search } = new URL(url);
    this.#origin = origin;
    this.#path = pathname + search;
    this.#breaker = createBreaker(name, isSubgraphFault, logger);
  }

  async process(
    options: GraphQLDataSourceProcessOptions<RouterContext>,
  ): Promise<GatewayGraphQLResponse> {
    const { name, singleFlight, logger } = this.settings;
    const { query, variables, operationName } = options.request;
    const identity = options.context.authorization ?? '';
    const body = JSON.stringify({ query, variables, operationName });
    try {
      // The gateway modifies the response, so each waiting request parses its own.
      return JSON.parse(await this.#request(options, identity, body));
    } catch (error) {
      if (isTooLarge(error)) throw badInput({ query: tooLarge });
      logger.warn({ subgraph: name, reason: (error as Error).message }, 'subgraph request failed');
      throw tryAgain(`The ${name} service is temporarily unavailable. Please retry.`);
    } finally {
      if (isMutation(query)) singleFlight.forget(identity);
    }
  }

  /** Closes idle connections, and after a second those in use; they are opened again on demand. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    if (!pool) return;
    await withTimeout(closeMaxMs, pool.close(), undefined);
    await pool.destroy();
  }

  #connections(): Pool {
    // Without the pool's own timeouts: that of `post` also covers the wait for a connection.
    this.#pool ??= new Pool(this.#origin, {
      connections: connectionsMax,
      ...clientKeepAlive,
      maxResponseSize: answerMaxBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return this.#pool;
  }

  #request(
    options: GraphQLDataSourceProcessOptions<RouterContext>,
    identity: string,
    body: string,
  ) {
    const context = options.context as RouterContext;
    const { deadlineMs = Number.POSITIVE_INFINITY } = context;
    if (deadlineMs <= performance.now()) throw new DeadlineExceeded(false);
    const mayBeStale = isQueryOperation(options);
    const send = (deadline: Deadline) =>
      this.#breaker.execute(() => this.#send(context, body, mayBeStale, deadline));
    if (isMutation(options.request.query)) return send({ atMs: deadlineMs });
    const sendWithRetry = (deadline: Deadline) => retry.execute(() => send(deadline));
    if (!mayBeStale) return sendWithRetry({ atMs: deadlineMs });
    const key = `${this.settings.name} ${body}`;
    const answer = this.settings.singleFlight.share(identity, key, deadlineMs, sendWithRetry);
    return withDeadline(answer, deadlineMs);
  }

  #send(context: RouterContext, body: string, mayBeStale: boolean, deadline: Deadline) {
    const { requestId, authorization } = context;
    const headers = {
      'content-type': 'application/json',
      'x-request-id': requestId,
      [callerHeader]: this.settings.credentials,
      ...(authorization && { authorization }),
      ...(mayBeStale && { [readsHeader]: mayLag }),
    };
    const request = { path: this.#path, headers, body };
    return post(this.#connections(), request, deadline, this.settings.timeoutMs);
  }
}
