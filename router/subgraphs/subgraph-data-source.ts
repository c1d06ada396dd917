import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { Pool } from 'undici';
import { callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { badInput, tryAgain } from '../../subgraphs/shared/errors.js';
import { clientKeepAlive } from '../../subgraphs/shared/http/keep-alive.js';
import { mayLag, readsHeader } from '../../subgraphs/shared/http/reads-header.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { isTimeout, retrying } from '../../subgraphs/shared/resilience/retry.js';
import { withTimeout } from '../../subgraphs/shared/resilience/with-timeout.js';
import { type Breaker, createBreaker, isOpenCircuit } from './circuit-breaker.js';
import { inTime, LateError, type Patience } from './deadlines.js';
import { post } from './post.js';
import type { InFlight } from './single-flight.js';

type GatewayGraphQLResponse = Awaited<ReturnType<GraphQLDataSource['process']>>;

/** What the router knows of a request. */
export interface RouterContext {
  readonly requestId: string;
  readonly authorization: string | undefined;
  /** the key of the address that it came from, as requests are counted by */
  readonly address: string;
  /** when the operation as a whole has to be answered, by `performance.now()` */
  readonly deadlineMs?: number;
  /** whether no subgraph is to be asked: it is planned, and no more */
  readonly plansOnly?: boolean;
}

export interface SourceSettings {
  readonly name: string;
  readonly url: string;
  readonly credentials: string;
  /** for one request to the subgraph */
  readonly timeoutMs: number;
  /** of all subgraphs together: who wrote to one is to see it in the others */
  readonly inFlight: InFlight<string>;
  readonly logger: Logger;
}

const connectionsMax = 128;
const answerMaxBytes = 8 * 1024 * 1024;
const closeMaxMs = 1000;

const isMutation = (query: string | undefined) => /^\s*mutation\b/.test(query ?? '');
/** Whether the client asks for a query: a mutation shows what it wrote, whichever subgraph is asked. */
const isOfQuery = (options: GraphQLDataSourceProcessOptions<RouterContext>) =>
  'incomingRequestContext' in options &&
  options.incomingRequestContext?.operation?.operation === 'query';
const isTooLarge = (error: unknown) =>
  (error as { code?: string }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';
/** Whether it is the subgraph's: not too much that was asked for, nor too late. */
const isItsFault = (error: unknown) =>
  !isTooLarge(error) && !(error instanceof LateError && !error.hadItsTime);
// For queries only: a mutation is not sent again.
const retry = retrying(
  1,
  (error) => !isTooLarge(error) && !isTimeout(error) && !isOpenCircuit(error),
);

/**
 * Sends the router's part of an operation to one subgraph, over kept-alive connections, with the
 * router's credentials, the user's token and the request's id. Queries that are the same, for the
 * same identity, are in flight once.
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
    this.#breaker = createBreaker(name, isItsFault, logger);
  }

  async process(
    options: GraphQLDataSourceProcessOptions<RouterContext>,
  ): Promise<GatewayGraphQLResponse> {
    const { name, inFlight, logger } = this.settings;
    const { query, variables, operationName } = options.request;
    const asker = options.context.authorization ?? '';
    const body = JSON.stringify({ query, variables, operationName });
    try {
      // The gateway changes what it is given, so that each who waits reads it for himself.
      return JSON.parse(await this.#ask(options, asker, body));
    } catch (error) {
      if (isTooLarge(error)) throw badInput({ query: 'asks for more than is given at once' });
      logger.warn({ subgraph: name, reason: (error as Error).message }, 'no answer');
      throw tryAgain(`The ${name} part of the system is away or busy; ask again.`);
    } finally {
      if (isMutation(query)) inFlight.forget(asker);
    }
  }

  /** Lets the connections go, and after a second what nobody waits for any more; they are made again if need be. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    if (!pool) return;
    await withTimeout(closeMaxMs, pool.close(), undefined);
    await pool.destroy();
  }

  #connections(): Pool {
    // Without the pool's own time limits: those of `post` hold while a connection is waited for, too.
    this.#pool ??= new Pool(this.#origin, {
      connections: connectionsMax,
      ...clientKeepAlive,
      maxResponseSize: answerMaxBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return this.#pool;
  }

  #ask(options: GraphQLDataSourceProcessOptions<RouterContext>, asker: string, body: string) {
    const context = options.context as RouterContext;
    const { deadlineMs = Number.POSITIVE_INFINITY } = context;
    if (deadlineMs <= performance.now()) throw new LateError(false);
    const mayBeOld = isOfQuery(options);
    const send = (patience: Patience) =>
      this.#breaker.execute(() => this.#send(context, body, mayBeOld, patience));
    if (isMutation(options.request.query)) return send({ untilMs: deadlineMs });
    const ask = (patience: Patience) => retry.execute(() => send(patience));
    if (!mayBeOld) return ask({ untilMs: deadlineMs });
    const question = `${this.settings.name} ${body}`;
    return inTime(this.settings.inFlight.share(asker, question, deadlineMs, ask), deadlineMs);
  }

  #send(context: RouterContext, body: string, mayBeOld: boolean, patience: Patience) {
    const { requestId, authorization } = context;
    const headers = {
      'content-type': 'application/json',
      'x-request-id': requestId,
      [callerHeader]: this.settings.credentials,
      ...(authorization && { authorization }),
      ...(mayBeOld && { [readsHeader]: mayLag }),
    };
    const request = { path: this.#path, headers, body };
    return post(this.#connections(), request, patience, this.settings.timeoutMs);
  }
}
