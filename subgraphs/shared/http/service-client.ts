import { Pool } from 'undici';
import type { Call } from '../../contracts/call.js';
import { callerCredentials, callerHeader } from '../auth/callers.js';
import type { Caller } from '../config.js';
import { DomainError, type ErrorCode, tryAgain, UpstreamFault } from '../errors.js';
import { requestTrace } from '../observability/request-context.js';
import type { Deadline } from '../resilience/deadlines.js';
import { isTimeout, retrying } from '../resilience/retry.js';
import { ConnectionSlots } from './connection-slots.js';
import { clientKeepAlive } from './keep-alive.js';
import { post, ServerError } from './post.js';

const connectionsMax = 64;
/** calls that wait for a connection, of which nothing was sent yet */
const waitingMax = 3 * connectionsMax;
const startMaxMs = 1000;
const retriesMax = 2;

const unavailable = () => tryAgain('Service temporarily unavailable. Please retry.');
const isAnswer = (error: unknown) => error instanceof DomainError || error instanceof UpstreamFault;
const retry = retrying(retriesMax, (error) => !isAnswer(error) && !isTimeout(error));

export interface CallOptions {
  /** of all attempts together */
  readonly timeoutMs: number;
  /** whether the call may be retried without a response: queries, and idempotent mutations */
  readonly repeatable: boolean;
}

/** Calls another subgraph on behalf of this process: without the token of a user. */
export interface ServiceClient {
  /**
   * @throws `TRY_AGAIN` without a response in time; the outcome is then unknown. Also at once if too many calls wait
   *   for a connection, and after a second without one
   * @throws UpstreamFault for a response that does not match the contract
   */
  call<V extends object, A>(call: Call<V, A>, variables: V, options: CallOptions): Promise<A>;
  /**
   * As `call`, for a field that returns a list in which each item may fail by itself.
   *
   * @returns for each item its value or its error
   */
  callEach<V extends object, A>(
    call: Call<V, A>,
    variables: V,
    options: CallOptions,
  ): Promise<(A | Error)[]>;
  close(): Promise<void>;
}

interface Reply {
  data?: Record<string, unknown> | null;
  errors?: ReplyError[];
}
interface ReplyError {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string };
}

/** @param url the other subgraph's GraphQL endpoint */
export function createServiceClient(url: string, self: Caller, secret: string): ServiceClient {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: connectionsMax, ...clientKeepAlive });
  const connections = { pool, slots: new ConnectionSlots(connectionsMax) };
  const ownHeaders = {
    'content-type': 'application/json',
    [callerHeader]: callerCredentials(self, secret),
  };

  async function send(body: string, deadline: Deadline): Promise<Reply> {
    const requestId = requestTrace.getStore()?.requestId;
    const headers = requestId ? { ...ownHeaders, 'x-request-id': requestId } : ownHeaders;
    const request = { path: pathname, headers, body };
    const text = await post(connections, request, deadline, { startMaxMs }).catch(
      (error: Error) => {
        if (error instanceof ServerError) return error.body;
        throw error;
      },
    );
    return JSON.parse(text) as Reply;
  }

  async function request<R>(
    call: { readonly query: string },
    variables: object,
    { timeoutMs, repeatable }: CallOptions,
    read: (reply: Reply) => R,
  ): Promise<R> {
    if (connections.slots.waiting >= waitingMax) throw unavailable();
    const body = bodyOf(call, variables);
    const deadline = { atMs: performance.now() + timeoutMs };
    const once = async () => read(await send(body, deadline));
    try {
      return await (repeatable ? retry.execute(once) : once());
    } catch (error) {
      if (isAnswer(error)) throw error;
      throw unavailable();
    }
  }

  function parse<A>(
    { field, answer }: Pick<Call<object, A>, 'field' | 'answer'>,
    value: unknown,
  ): A {
    try {
      return answer.parse(value);
    } catch (error) {
      throw new UpstreamFault(
        `${url} sent an invalid answer to ${field}: ${(error as Error).message}`,
      );
    }
  }

  return {
    call: (call, variables, options) =>
      request(call, variables, options, (reply) => parse(call, dataOf(reply, url)[call.field])),
    callEach: (call, variables, options) =>
      request(call, variables, options, (reply) => {
        const items = reply.data?.[call.field] as unknown[] | null | undefined;
        if (!items) throw errorOf(reply.errors?.[0], url);
        const errors = new Map(reply.errors?.map((error) => [error.path?.[1], error]));
        return items.map((item, n) => {
          if (item === null) return errorOf(errors.get(n), url);
          try {
            return parse(call, item);
          } catch (error) {
            return error as Error;
          }
        });
      }),
    close: () => pool.close(),
  };
}

/** by call: the beginning of its body, since its text would be escaped for each request */
const beginnings = new WeakMap<object, string>();

function bodyOf(call: { readonly query: string }, variables: object): string {
  let beginning = beginnings.get(call);
  if (beginning === undefined) {
    beginning = `{"query":${JSON.stringify(call.query)},"variables":`;
    beginnings.set(call, beginning);
  }
  return `${beginning}${JSON.stringify(variables)}}`;
}

// Errors that concern this process, not the user, such as a wrong secret.
const callerFaults = ['INTERNAL_SERVER_ERROR', 'UNAUTHENTICATED', 'FORBIDDEN', 'UNKNOWN_CALLER'];

function dataOf(reply: Reply, url: string): Record<string, unknown> {
  const error = reply.errors?.[0];
  if (!error && reply.data) return reply.data;
  throw errorOf(error, url);
}

function errorOf(error: ReplyError | undefined, url: string): Error {
  const code = error?.extensions?.code;
  if (code && !callerFaults.includes(code)) {
    return new DomainError(code as ErrorCode, error?.message ?? code, error?.extensions);
  }
  return new UpstreamFault(`${url} responded: ${error?.message ?? 'no data'}`, code);
}
