import { Pool } from 'undici';
import { callerCredentials, callerHeader } from './auth.js';
import type { Caller } from './config.js';
import { DomainError, type ErrorCode, tryAgain, UpstreamFault } from './errors.js';
import { requestTrace } from './request-context.js';
import { isTimeout, retrying } from './retry.js';

const connectionsMax = 64;
const retriesMax = 2;

const isAnswer = (error: unknown) => error instanceof DomainError || error instanceof UpstreamFault;
const retry = retrying(retriesMax, (error) => !isAnswer(error) && !isTimeout(error));

export interface CallOptions {
  readonly timeoutMs: number;
  /** whether the call may be sent again when no answer came: queries, and what is idempotent */
  readonly repeatable: boolean;
}

/** Calls another subgraph, as this process, for this process: no user's token goes along. */
export interface ServiceClient {
  /**
   * @returns the `data` of the answer
   * @throws `TRY_AGAIN` when no answer came in time; then it is not known whether it was done
   */
  call<T>(query: string, variables: Record<string, unknown>, options: CallOptions): Promise<T>;
  close(): Promise<void>;
}

interface Reply<T> {
  data?: T | null;
  errors?: Array<{ message: string; extensions?: { code?: string } }>;
}

/** @param url the other subgraph's GraphQL endpoint */
export function createServiceClient(url: string, self: Caller, secret: string): ServiceClient {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: connectionsMax });
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

  return {
    async call<T>(query: string, variables: Record<string, unknown>, options: CallOptions) {
      const body = JSON.stringify({ query, variables });
      const ask = async () => dataOf(await send<T>(body, options.timeoutMs), url);
      try {
        return await (options.repeatable ? retry.execute(ask) : ask());
      } catch (error) {
        if (isAnswer(error)) throw error;
        throw tryAgain('A part of the system is away or busy; ask again.');
      }
    },
    close: () => pool.close(),
  };
}

// What the other side says of this process, not of the user: a secret that is wrong, for one.
const ownFaults = ['INTERNAL_SERVER_ERROR', 'UNAUTHENTICATED', 'FORBIDDEN', 'UNKNOWN_CALLER'];

function dataOf<T>(reply: Reply<T>, url: string): T {
  const error = reply.errors?.[0];
  if (!error && reply.data) return reply.data;
  const code = error?.extensions?.code;
  if (code && !ownFaults.includes(code)) {
    throw new DomainError(code as ErrorCode, error?.message ?? code, error?.extensions);
  }
  throw new UpstreamFault(`${url} answered: ${error?.message ?? 'nothing'}`);
}
