/**
 * Counts one request and charges the cost of its operation. Only the first call does anything.
 *
 * @throws `RATE_LIMITED`
 */
export type Charge = (cost?: number) => Promise<void>;

/** State of one request in the router. */
export interface RouterContext {
  readonly requestId: string;
  readonly authorization: string | undefined;
  /** the key of the client's address, as rate limits use it */
  readonly address: string;
  /** deadline of the whole operation, by `performance.now()` */
  readonly deadlineMs?: number;
  /** cost of the operation, of a subscription that of one event; set when it is validated */
  cost?: number;
  /** counts the request and charges its cost; nothing is counted without it */
  readonly charge?: Charge;
  /** true to plan the operation without sending requests to subgraphs */
  readonly plansOnly?: boolean;
}
