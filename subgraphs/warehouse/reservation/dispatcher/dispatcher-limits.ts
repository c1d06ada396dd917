export interface DispatcherLimits {
  /** requests in one transaction */
  readonly batchMax: number;
  /** distinct keys in one transaction, and so under one lock */
  readonly keysPerBatchMax: number;
  /** batches that run at the same time, each on other keys */
  readonly lanesMax: number;
  /** requests that wait; one more is refused immediately */
  readonly queueMax: number;
  /** how long a request may wait for its batch */
  readonly waitMaxMs: number;
  /** how long a lock is kept for batch after batch */
  readonly lockHoldMaxMs: number;
  /** the pause after that, when another process waits for the lock */
  readonly yieldPauseMs: number;
  /** how long a lane waits for the lock over all keys of a batch */
  readonly batchLockWaitMaxMs: number;
  /**
   * how long a lane waits for the lock over the keys of one request, when other requests need the
   * lane
   */
  readonly requestLockWaitMaxMs: number;
  /** when a lock that was not acquired then is tried again */
  readonly deferMs: number;
}

export const dispatcherLimits: DispatcherLimits = {
  batchMax: 256,
  keysPerBatchMax: 100,
  lanesMax: 4,
  queueMax: 4096,
  waitMaxMs: 900,
  lockHoldMaxMs: 40,
  yieldPauseMs: 12,
  batchLockWaitMaxMs: 150,
  requestLockWaitMaxMs: 50,
  deferMs: 10,
};
