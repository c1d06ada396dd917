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
  /** true to plan the operation without sending requests to subgraphs */
  readonly plansOnly?: boolean;
}
