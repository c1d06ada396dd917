/** What everybody sees of the queue of a sale. */
export interface QueueNumbers {
  /** the number of the ticket that was admitted last; the position of another is its number less this one */
  readonly servingNumber: number;
  /** tickets that wait; those that were left count until their turn */
  readonly waiting: number;
  /** customers who were admitted within the last minute */
  readonly admittedPerMinute: number;
}

/** The queues of sales by id; one without a queue is left out. */
export type ReadQueues = (saleIds: readonly string[]) => Promise<ReadonlyMap<string, QueueNumbers>>;
