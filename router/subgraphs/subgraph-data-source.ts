import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { Pool } from 'undici';
import { callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { ConnectionSlots } from '../../subgraphs/shared/http/connection-slots.js';
import { clientKeepAlive } from '../../subgraphs/shared/http/keep-alive.js';
import { isTooLarge, post } from '../../subgraphs/shared/http/post.js';
import { mayLag, readsHeader } from '../../subgraphs/shared/http/reads-header.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import {
  type Deadline,
  DeadlineExceeded,
  withDeadline,
} from '../../subgraphs/shared/resilience/deadlines.js';
import { isTimeout, retrying } from '../../subgraphs/shared/resilience/retry.js';
import { withTimeout } from '../../subgraphs/shared/resilience/with-timeout.js';
import type { OperationClass, RouterContext } from '../context.js';
import { type Breaker, createBreaker, isOpenCircuit } from './circuit-breaker.js';
import { type EntityBatch, EntityBatches } from './entity-batches.js';
import { failureOf, operationType, roleOf, withoutHttp, withReadErrors } from './fetch-failures.js';
import type { SingleFlight } from './single-flight.js';
import {
  bodyOf,
  type FetchRole,
  type SubgraphRequest,
  type SubgraphResponse,
  type SubgraphService,
} from './subgraph-service.js';

type Options = GraphQLDataSourceProcessOptions<RouterContext>;
type GatewayGraphQLResponse = Awaited<ReturnType<GraphQLDataSource['process']>>;

/** What requests are for. Each has a circuit breaker of its own, and connections. */
export type Purpose = 'operations' | 'events';

export interface SourceSettings {
  readonly name: string;
  readonly purpose: Purpose;
  readonly url: string;
  readonly credentials: string;
  /** timeout of one request to the subgraph */
  readonly timeoutMs: number;
  /**
   * Connections for the operations of each class, and as many again for what is read after mutations and payments; not
   * those of events.
   */
  readonly connectionsMax: Readonly<Record<OperationClass, number>>;
  readonly singleFlight: SingleFlight<string>;
  readonly logger: Logger;
  /** called after each response */
  onAnswer?(): void;
}

// Buyers wait for operations. Events of a busy feed cost the subgraphs less when several are completed together.
const entitiesIntervalMs: Readonly<Record<Purpose, number>> = { operations: 0, events: 50 };
const eventConnectionsMax = 32;
/** Requests of one class that wait for a connection. Events are bounded by the number of completions. */
const waitingMax = 256;
const startMaxMs = 700;
const answerMaxBytes = 8 * 1024 * 1024;
/** Of a response without errors, if `errors` is written before `data`. */
const isWithoutErrors = (text: string) => text.startsWith('{"data":{');
const closeMaxMs = 1000;

type Slots = Readonly<
  Record<OperationClass, { readonly own: ConnectionSlots; readonly reads: ConnectionSlots }>
>;

/** A mutation may read several entities at once: with slots of their own they take none of those of mutations. */
function slotsOf(max: SourceSettings['connectionsMax']): Slots {
  const query = new ConnectionSlots(max.query);
  const ownAndReads = (count: number) => ({
    own: new ConnectionSlots(count),
    reads: new ConnectionSlots(count),
  });
  return {
    query: { own: query, reads: query },
    mutation: ownAndReads(max.mutation),
    payment: ownAndReads(max.payment),
  };
}

function slotsOfEvents(): Slots {
  const own = new ConnectionSlots(eventConnectionsMax);
  const all = { own, reads: own };
  return { query: all, mutation: all, payment: all };
}

/** All connections are busy, and enough requests wait for one. Nothing was sent. */
class SubgraphBusy extends Error {
  constructor() {
    super('too many requests wait for a connection');
  }
}

/** Of a mutation; 'mutation' where none was admitted. */
const classOf = ({ admitted }: RouterContext): OperationClass =>
  admitted?.operationClass ?? 'mutation';

/** @returns the deadline of an operation. @throws DeadlineExceeded if it has passed */
function requireTime({ deadlineMs = Number.POSITIVE_INFINITY }: RouterContext): number {
  if (deadlineMs <= performance.now()) throw new DeadlineExceeded(false);
  return deadlineMs;
}

/** Whether the subgraph is at fault, not the size or the deadline of the request. */
const isSubgraphFault = (error: unknown) =>
  !isTooLarge(error) &&
  !(error instanceof SubgraphBusy) &&
  !(error instanceof DeadlineExceeded && !error.isSubgraphTimeout);
// For queries only: mutations are sent once.
const retry = retrying(
  1,
  (error) =>
    !isTooLarge(error) &&
    !isTimeout(error) &&
    !isOpenCircuit(error) &&
    !(error instanceof SubgraphBusy),
);

/**
 * Sends the router's request to one subgraph, over kept-alive connections, with the router's credentials,
 * the user's token and the request id. Equal queries are shared (`SingleFlight`), and entities of one turn are
 * requested together (`EntityBatches`).
 */
export class SubgraphDataSource implements SubgraphService {
  readonly #origin: string;
  readonly #path: string;
  readonly #breaker: Breaker;
  readonly #batches: EntityBatches;
  readonly #slots: Slots;
  #pool: Pool | undefined;

  constructor(private readonly settings: SourceSettings) {
    const { name, purpose, url, logger, connectionsMax } = settings;
    const { origin, pathname, search } = new URL(url);
    this.#origin = origin;
    this.#path = pathname + search;
    const intervalMs = entitiesIntervalMs[purpose];
    this.#batches = new EntityBatches((batch) => this.#sendBatch(batch), intervalMs);
    this.#slots = purpose === 'events' ? slotsOfEvents() : slotsOf(connectionsMax);
    this.#breaker = createBreaker({ subgraph: name, purpose }, isSubgraphFault, isTooLarge, logger);
  }

  /** A request of Apollo's executor. */
  process(options: Options): Promise<GatewayGraphQLResponse> {
    const { query, variables, operationName } = options.request;
    return this.fetch({
      head: JSON.stringify({ query, variables, operationName }),
      representations: null,
      tail: '',
      role: roleOf(options),
      isOfQuery: operationType(options) === 'query',
      isPublic: false,
      acceptsText: false,
      context: options.context as RouterContext,
    }) as Promise<GatewayGraphQLResponse>;
  }

  async fetch(request: SubgraphRequest): Promise<SubgraphResponse> {
    const { name, purpose, logger } = this.settings;
    const { role } = request;
    let isSent = false;
    const onSend = () => {
      isSent = true;
    };
    try {
      const answer = request.representations
        ? await this.#requestEntities(request)
        : await this.#requestRoots(request, onSend);
      const response = withoutHttp(answer);
      if (response.text !== undefined) return response;
      return role === 'query' ? response : withReadErrors(name, role, response);
    } catch (error) {
      const failure = failureOf(name, role, error, isSent);
      if (failure.extensions.code === 'BAD_USER_INPUT') throw failure;
      const reason = (error as Error).message;
      logger.warn({ subgraph: name, purpose, reason }, 'subgraph request failed');
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

  #openPool(): Pool {
    const all = new Set(Object.values(this.#slots).flatMap(({ own, reads }) => [own, reads]));
    // Without the pool's own timeouts: that of `post` also covers the wait for a connection.
    this.#pool ??= new Pool(this.#origin, {
      connections: [...all].reduce((sum, { max }) => sum + max, 0),
      ...clientKeepAlive,
      maxResponseSize: answerMaxBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return this.#pool;
  }

  async #requestRoots(request: SubgraphRequest, onSend: () => void): Promise<SubgraphResponse> {
    const text = await this.#requestText(request, onSend);
    if (request.acceptsText && isWithoutErrors(text)) return { text };
    // The response is modified, so each waiting request parses its own.
    return JSON.parse(text);
  }

  #requestText(request: SubgraphRequest, onSend: () => void): Promise<string> {
    const { context, role, isOfQuery } = request;
    const deadlineMs = requireTime(context);
    const body = bodyOf(request);
    const send = this.#sender(context, isOfQuery, body, role, onSend);
    if (role === 'mutation') return send({ atMs: deadlineMs });
    const sendWithRetry = (deadline: Deadline) => retry.execute(() => send(deadline));
    if (!isOfQuery) return sendWithRetry({ atMs: deadlineMs });
    const key = `${this.settings.name} ${body}`;
    const token = context.authorization ?? '';
    const answer = this.settings.singleFlight.share(token, key, deadlineMs, sendWithRetry);
    return withDeadline(answer, deadlineMs);
  }

  #requestEntities(request: SubgraphRequest): Promise<SubgraphResponse> {
    const deadlineMs = requireTime(request.context);
    return withDeadline(this.#batches.request(request), deadlineMs);
  }

  #sendBatch({ body, context, isOfQuery, isAnonymous, deadlineMs }: EntityBatch): Promise<string> {
    const role = isOfQuery ? 'query' : 'read behind a mutation';
    const send = this.#sender(context, isOfQuery, body, role);
    const sendWithRetry = (deadline: Deadline) => retry.execute(() => send(deadline));
    if (!isOfQuery || !isAnonymous) return sendWithRetry({ atMs: deadlineMs });
    const key = `${this.settings.name} ${body}`;
    return this.settings.singleFlight.share('', key, deadlineMs, sendWithRetry);
  }

  #sender(
    context: RouterContext,
    isOfQuery: boolean,
    body: string,
    role: FetchRole,
    onSend?: () => void,
  ) {
    const sent = { ...this.#requestOf(context, isOfQuery), body, ...(onSend && { onSend }) };
    const isRead = role === 'read behind a mutation';
    const ofClass = this.#slots[isOfQuery ? 'query' : classOf(context)];
    const slots = isRead ? ofClass.reads : ofClass.own;
    // What a mutation returns is read in any case: the mutation has happened.
    const mayWait = this.settings.purpose === 'events' || isRead;
    const { timeoutMs } = this.settings;
    const limits = mayWait ? { timeoutMs } : { timeoutMs, startMaxMs };
    return (deadline: Deadline) =>
      this.#breaker.execute(async () => {
        if (!mayWait && slots.waiting >= waitingMax) throw new SubgraphBusy();
        const text = await post({ pool: this.#openPool(), slots }, sent, deadline, limits);
        this.settings.onAnswer?.();
        return text;
      });
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
