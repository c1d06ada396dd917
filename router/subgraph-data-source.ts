import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { Pool } from 'undici';
import { callerHeader } from '../subgraphs/shared/auth.js';
import { badInput, tryAgain } from '../subgraphs/shared/errors.js';
import type { Logger } from '../subgraphs/shared/logger.js';
import { mayLag, readsHeader } from '../subgraphs/shared/reads-header.js';
import { isTimeout, retrying } from '../subgraphs/shared/retry.js';

type GatewayGraphQLResponse = Awaited<ReturnType<GraphQLDataSource['process']>>;

/** What the router knows of a request. */
export interface RouterContext {
  readonly requestId: string;
  readonly authorization: string | undefined;
  /** the key of the address that it came from, as requests are counted by */
  readonly address: string;
}

const connectionsMax = 128;
// Longer than a checkout may wait for its stock.
const timeoutMs = 20_000;
const answerMaxBytes = 8 * 1024 * 1024;

const isMutation = (query: string | undefined) => /^\s*mutation\b/.test(query ?? '');
/** Whether the client asks for a query: a mutation shows what it wrote, whichever subgraph is asked. */
const isOfQuery = (options: GraphQLDataSourceProcessOptions<RouterContext>) =>
  'incomingRequestContext' in options &&
  options.incomingRequestContext?.operation?.operation === 'query';
const isTooLarge = (error: unknown) =>
  (error as { code?: string }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';
// For queries only: a mutation is not sent again.
const retry = retrying(2, (error) => !isTooLarge(error) && !isTimeout(error));

/**
 * Sends the router's part of an operation to one subgraph, over kept-alive connections, with the
 * router's credentials, the user's token and the request's id.
 */
export class SubgraphDataSource implements GraphQLDataSource<RouterContext> {
  readonly #pool: Pool;
  readonly #path: string;

  constructor(
    private readonly name: string,
    url: string,
    private readonly credentials: string,
    private readonly logger: Logger,
  ) {
    const { origin, pathname } = new URL(url);
    this.#pool = new Pool(origin, { connections: connectionsMax, maxResponseSize: answerMaxBytes });
    this.#path = pathname;
  }

  async process(
    options: GraphQLDataSourceProcessOptions<RouterContext>,
  ): Promise<GatewayGraphQLResponse> {
    const { query, variables, operationName } = options.request;
    const { requestId, authorization } = options.context;
    const ask = async () => {
      const response = await this.#pool.request({
        method: 'POST',
        path: this.#path,
        headers: {
          'content-type': 'application/json',
          'x-request-id': requestId,
          [callerHeader]: this.credentials,
          ...(authorization && { authorization }),
          ...(isOfQuery(options) && { [readsHeader]: mayLag }),
        },
        body: JSON.stringify({ query, variables, operationName }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return (await response.body.json()) as GatewayGraphQLResponse;
    };
    try {
      return await (isMutation(query) ? ask() : retry.execute(ask));
    } catch (error) {
      if (isTooLarge(error)) throw badInput({ query: 'asks for more than is given at once' });
      this.logger.warn({ subgraph: this.name, reason: (error as Error).message }, 'no answer');
      throw tryAgain(`The ${this.name} part of the system is away or busy; ask again.`);
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
