import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { Pool } from 'undici';
import { callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { clientKeepAlive } from '../../subgraphs/shared/http/keep-alive.js';
import { mayLag, readsHeader } from '../../subgraphs/shared/http/reads-header.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { isTimeout, retrying } from '../../subgraphs/shared/resilience/retry.js';
import { withTimeout } from '../../subgraphs/shared/resilience/with-timeout.js';
import type { RouterContext } from '../context.js';
import { type Breaker, createBreaker, isOpenCircuit } from './circuit-breaker.js';
import { type Deadline, DeadlineExceeded, withDeadline } from './deadlines.js';
import { failureOf, operationType, roleOf, withReadErrors } from './fetch-failures.js';
import { isTooLarge, post } from './post.js';
import type { SingleFlight } from './single-flight.js';

type Options = GraphQLDataSourceProcessOptions<RouterContext>;
type GatewayGraphQLResponse = Awaited<ReturnType<GraphQLDataSource['process']>>;

export interface SourceSettings {
  readonly name: string;
  readonly url: string;
  readonly credentials: string;
  /** timeout of one request to the subgraph */
  readonly timeoutMs: number;
  readonly singleFlight: SingleFlight<string>;
  readonly logger: Logger;
}

const connectionsMax = 128;
const answerMaxBytes = 8 * 1024 * 1024;
const closeMaxMs = 1000;

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
 * the user's token and the request id. Equal queries are shared; see `SingleFlight`.
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

  async process(options: Options): Promise<GatewayGraphQLResponse> {
    const { name, logger } = this.settings;
    const role = roleOf(options);
    let isSent = false;
    const onSend = () => {
      isSent = true;
    };
    try {
      // The gateway modifies the response, so each waiting request parses its own.
      const response = JSON.parse(await this.#request(options, onSend));
      return role === 'query' ? response : withReadErrors(name, role, response);
    } catch (error) {
      const failure = failureOf(name, role, error, isSent);
      if (failure.extensions.code === 'BAD_USER_INPUT') throw failure;
      logger.warn({ subgraph: name, reason: (error as Error).message }, 'subgraph request failed');
      throw failure;
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

  #request(options: Options, onSend: () => void): Promise<string> {
    const context = options.context as RouterContext;
    const { deadlineMs = Number.POSITIVE_INFINITY } = context;
    if (deadlineMs <= performance.now()) throw new DeadlineExceeded(false);
    const { query, variables, operationName } = options.request;
    const body = JSON.stringify({ query, variables, operationName });
    const mayBeStale = operationType(options) === 'query';
    const request = { ...this.#requestOf(context, mayBeStale), body, onSend };
    const send = (deadline: Deadline) =>
      this.#breaker.execute(() =>
        post(this.#connections(), request, deadline, this.settings.timeoutMs),
      );
    if (roleOf(options) === 'mutation') return send({ atMs: deadlineMs });
    const sendWithRetry = (deadline: Deadline) => retry.execute(() => send(deadline));
    if (!mayBeStale) return sendWithRetry({ atMs: deadlineMs });
    const key = `${this.settings.name} ${body}`;
    const token = context.authorization ?? '';
    const answer = this.settings.singleFlight.share(token, key, deadlineMs, sendWithRetry);
    return withDeadline(answer, deadlineMs);
  }

  #requestOf({ requestId, authorization }: RouterContext, mayBeStale: boolean) {
    const headers = {
      'content-type': 'application/json',
      'x-request-id': requestId,
      [callerHeader]: this.settings.credentials,
      ...(authorization && { authorization }),
      ...(mayBeStale && { [readsHeader]: mayLag }),
    };
    return { path: this.#path, headers };
  }
}
