import { z } from 'zod';
import { type Fault, Refused } from '../payments/refused.js';
import { isoTime } from '../store/records.js';
import { lagMaxMs } from '../store/versioned-records.js';

export type Operation = 'confirm' | 'capture' | 'cancel' | 'refund' | 'lookUp';

export const faultInput = z.object({
  operation: z.enum(['confirm', 'capture', 'cancel', 'refund', 'lookUp']),
  fault: z.enum(['500', '400', 'silent']),
  times: z.number().int().min(0).max(1_000_000),
  /** whether a request that is answered 500 or 400 is executed all the same */
  isExecuted: z.boolean().default(false),
});
export type FaultInput = z.infer<typeof faultInput>;

export const limitsInput = z.object({
  requestsPerSecond: z.number().min(0.1).max(1_000_000).nullable(),
});

export const lagInput = z.object({ ms: z.number().int().min(0).max(lagMaxMs) });

interface Bucket {
  readonly perSecond: number;
  tokens: number;
  filledAtMs: number;
}

/** The faults, the rate limit and the lag of lists that a developer or a test has set. */
export function createControls() {
  const faults = new Map<Operation, Fault & { times: number }>();
  let bucket: Bucket | null = null;
  let lagMs = 0;

  return {
    /** Replaces the faults of an operation; `times` 0 removes them. */
    setFault(input: FaultInput) {
      const { operation, fault, times, isExecuted } = input;
      if (times === 0) faults.delete(operation);
      else if (fault === 'silent')
        faults.set(operation, { refusal: null, isExecuted: true, times });
      else {
        const message = `a fault was set for ${operation}`;
        const refusal = new Refused(Number(fault), 'fault', message);
        faults.set(operation, { refusal, isExecuted, times });
      }
      return input;
    },
    takeFault(operation: Operation): Fault | undefined {
      const fault = faults.get(operation);
      if (!fault) return undefined;
      fault.times -= 1;
      if (fault.times === 0) faults.delete(operation);
      return fault;
    },
    /** A token bucket that holds the requests of one second. */
    setLimits({ requestsPerSecond }: z.infer<typeof limitsInput>) {
      bucket = requestsPerSecond === null ? null : fullBucket(requestsPerSecond);
      return { requestsPerSecond };
    },
    /** @throws Refused 429 */
    requireToken(): void {
      if (bucket && !take(bucket)) throw new Refused(429, 'rate_limited', 'too many requests');
    },
    setLag({ ms }: z.infer<typeof lagInput>) {
      lagMs = ms;
      return { ms };
    },
    /** the time whose state lists show */
    listedAt: () => isoTime(Date.now() - lagMs),
  };
}
export type Controls = ReturnType<typeof createControls>;

const capacityOf = (perSecond: number) => Math.max(1, perSecond);

const fullBucket = (perSecond: number): Bucket => ({
  perSecond,
  tokens: capacityOf(perSecond),
  filledAtMs: performance.now(),
});

function take(bucket: Bucket): boolean {
  const nowMs = performance.now();
  const refilled = bucket.tokens + ((nowMs - bucket.filledAtMs) / 1000) * bucket.perSecond;
  bucket.tokens = Math.min(capacityOf(bucket.perSecond), refilled);
  bucket.filledAtMs = nowMs;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
