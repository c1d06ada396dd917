import { Pool } from 'undici';
import { callerCredentials, callerHeader } from '../auth/callers.js';
import type { Caller } from '../config.js';
import { DomainError, type ErrorCode, tryAgain, UpstreamFault } from '../errors.js';
import { requestTrace } from '../observability/request-context.js';
import { isTimeout, retrying } from '../resilience/retry.js';
import { clientKeepAlive } from './keep-alive.js';

const connectionsMax = 64;
const retriesMax = 2;

const isAnswer = (error: unknown) => error instanceof DomainError || error instanceof UpstreamFault;
const retry = retrying(retriesMax, (error) => !isAnswer(error) && !isTimeout(error));

export interface CallOptions {
  readonly timeoutMs: number;
  /** whether the call may be retried without a response: queries, and idempotent mutations */
  readonly repeatable: boolean;
}

/** Calls another subgraph on behalf of this process: without the token of a user. */
export interface ServiceClient {
  /**
   * @returns the `data` of the response
   * @throws `TRY_AGAIN` without a response in time; the outcome is then unknown
   */
  call<T>(query: string, variables: Record<string, unknown>, options: CallOptions): Promise<T>;
  /**
   * As `call`, for a field that returns a list in which each item may fail by itself.
   *
   * @returns for each item of `data[field]` its value or its error
   */
  callEach<T>(
    field: string,
    query: string,
    variables: Record<string, unknown>,
    options: CallOptions,
  ): Promise<(T | Error)[]>;
  close(): Promise<void>;
}

interface Reply<T> {
  data?: T | null;
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
  const credentials = callerCredentials(self, secret);

  async function send<T>(body: string, timeoutMs: number): Promise<Reply<T>> {
    const response = await pool.request({
      method: 'POST',
      path: pathname,
      headers: {
        'content-type': 'application/json',
        [callerHeader]: credentials,
        ...(requestTrace.getStore() && { 'x-request-id': requestTrace.getStore()?.requestId }),
      },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    return (await response.body.json()) as Reply<T>;
  }

  async function request<T, R>(
    query: string,
    variables: Record<string, unknown>,
    { timeoutMs, repeatable }: CallOptions,
    read: (reply: Reply<T>) => R,
  ): Promise<R> {
    const body = JSON.stringify({ query, variables });
    const once = async () => read(await send<T>(body, timeoutMs));
    try {
      return await (repeatable ? retry.execute(once) : once());
    } catch (error) {
      if (isAnswer(error)) throw error;
      throw tryAgain('Service temporarily unavailable. Please retry.');
    }
  }

  return {
    call: <T>(query: string, variables: Record<string, unknown>, options: CallOptions) =>
      request<T, T>(query, variables, options, (reply) => dataOf(reply, url)),
    callEach: <T>(
      field: string,
      query: string,
      variables: Record<string, unknown>,
      options: CallOptions,
    ) =>
      request<Record<string, (T | null)[]>, (T | Error)[]>(query, variables, options, (reply) => {
        const items = reply.data?.[field];
        if (!items) return dataOf({ errors: reply.errors ?? [] }, url);
        const errors = new Map(reply.errors?.map((error) => [error.path?.[1], error]));
        return items.map((item, n) => item ?? errorOf(errors.get(n), url));
      }),
    close: () => pool.close(),
  };
}

// Errors that concern this process, not the user, such as a wrong secret.
const callerFaults = ['INTERNAL_SERVER_ERROR', 'UNAUTHENTICATED', 'FORBIDDEN', 'UNKNOWN_CALLER'];

function dataOf<T>(reply: Reply<T>, url: string): T {
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
