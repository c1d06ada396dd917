import { AsyncLocalStorage } from 'node:async_hooks';

/** What identifies a request in this process and in the processes that it calls. */
export interface RequestTrace {
  readonly requestId: string;
  /** the codes of GraphQL errors in its response */
  errorCodes?: string[];
}

/** The trace of the current request: log lines and calls to other processes contain its id. */
export const requestTrace = new AsyncLocalStorage<RequestTrace>();

/**
 * Runs a function outside of any request. For what outlives the request that starts it, such as shared
 * connections: it must not inherit the id and trace of that request.
 */
export const outsideRequests = AsyncLocalStorage.snapshot();
