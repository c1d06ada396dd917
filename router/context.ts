/** What the router knows of a request. */
export interface RouterContext {
  readonly requestId: string;
  readonly authorization: string | undefined;
  /** the key of the address that it came from, as requests are counted by */
  readonly address: string;
  /** when the operation as a whole has to be answered, by `performance.now()` */
  readonly deadlineMs?: number;
  /** whether no subgraph is to be asked: it is planned, and no more */
  readonly plansOnly?: boolean;
}
