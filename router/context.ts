/**
 * Counts one request and charges the cost of its operation. Only the first call does anything.
 *
 * @throws `RATE_LIMITED`
 */
export type Charge = (cost?: number) => Promise<void>;

/** Operations of one class share a limit; see admission/. */
export type OperationClass = 'query' | 'mutation' | 'payment';

/** An operation that was admitted. */
export interface Admitted {
  /** undefined until it is parsed, if its text is not known */
  readonly operationClass: OperationClass | undefined;
  /** Sets the class of the parsed operation. @throws `TRY_AGAIN` if its limit is reached */
  setClass(actual: OperationClass): void;
  /** Must be called when the operation has ended. Only the first call does anything. */
  end(): void;
}

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
  /** of an operation of a client; its class is set when it is parsed */
  readonly admitted?: Admitted;
  /** true to plan the operation without sending requests to subgraphs */
  readonly plansOnly?: boolean;
}
