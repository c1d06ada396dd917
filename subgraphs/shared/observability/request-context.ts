import { AsyncLocalStorage } from 'node:async_hooks';

/** What follows one request through a process and into those it calls. */
export interface RequestTrace {
  readonly requestId: string;
}

/** Holds the trace of the request at work, so that log lines and calls to others carry its id. */
export const requestTrace = new AsyncLocalStorage<RequestTrace>();

/**
 * Does what outlives the request that asks for it, such as connections that others use too: it bears
 * no request's id, and no request's trace goes on in it.
 */
export const outsideRequests = AsyncLocalStorage.snapshot();
