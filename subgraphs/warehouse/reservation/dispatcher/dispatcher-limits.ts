export interface DispatcherLimits {
  /** requests in one transaction */
  readonly batchMax: number;
  /** distinct keys in one transaction, and so in one lock */
  readonly keysPerBatchMax: number;
  /** batches at work at the same time, of different keys */
  readonly lanesMax: number;
  /** requests that wait; one more is refused at once */
  readonly queueMax: number;
  /** how long a request may wait for its turn */
  readonly waitMaxMs: number;
  /** how long a lock is kept for batch after batch */
  readonly lockHoldMaxMs: number;
  /** the pause after that, when another process waits for the lock */
  readonly sharePauseMs: number;
  /** how long many keys are waited for together, when another process has some of them */
  readonly shareWaitMaxMs: number;
  /** how long the keys of one request are waited for, when others wait for a lane */
  readonly ownWaitMaxMs: number;
  /** when those keys are tried again then */
  readonly deferMs: number;
}

export const dispatcherLimits: DispatcherLimits = {
  batchMax: 256,
  keysPerBatchMax: 100,
  lanesMax: 4,
  queueMax: 4096,
  waitMaxMs: 8000,
  lockHoldMaxMs: 40,
  sharePauseMs: 12,
  shareWaitMaxMs: 150,
  ownWaitMaxMs: 50,
  deferMs: 10,
};
