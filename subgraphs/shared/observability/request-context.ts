import { AsyncLocalStorage } from 'node:async_hooks';

/** What identifies a request in this process and in the processes that it calls. */
export interface RequestTrace {
  readonly requestId: string;
  /** the codes of GraphQL errors in its response */
  errorCodes?: string[];
  /** whether it is a query of a client, which may read what is a little old */
  isRead?: boolean;
  /** whether it has had a connection to the database, or is work for several requests */
  isBegun?: boolean;
  /** whether it was refused because the process has too much to do; its log lines are counted, not written */
  isShed?: boolean;
}

/** The trace of the current request: log lines and calls to other processes contain its id. */
export const requestTrace = new AsyncLocalStorage<RequestTrace>();

/**
 * Runs a function outside of any request. For what outlives the request that starts it, such as shared
 * connections: it must not inherit the id and trace of that request.
 */
export const outsideRequests = AsyncLocalStorage.snapshot();

/** From here on the current request must not be refused half-way for want of a connection. */
export function markBegun(): void {
  const trace = requestTrace.getStore();
  if (trace) trace.isBegun = true;
}

/** Runs work for several requests at once, which must not be refused half-way for want of a connection. */
export function asBegun<T>(work: () => Promise<T>): Promise<T> {
  const trace = requestTrace.getStore();
  return trace ? requestTrace.run({ ...trace, isBegun: true, isRead: false }, work) : work();
}
