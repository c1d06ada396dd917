import type { Redis } from 'ioredis';
import { tryAgain } from '../../shared/errors.js';

export interface IssuedCode {
  readonly challengeId: string;
  readonly expiresAt: Date;
}

/** A request for a code that its client may repeat. */
export interface CodeRequest {
  readonly operation: string;
  readonly idempotencyKey: string;
}

const keepMs = 24 * 3_600_000;
// If a process ends while it sends the code, a repeat sends another one after this time.
const claimMs = 10_000;
const waitMaxMs = 5000;
const waitStepMs = 50;
const pending = 'pending';

/**
 * Issues a code once for each idempotency key: a repeat returns the first challenge, and sends nothing. The
 * key is in Redis, where the code is.
 *
 * @param requestKey distinguishes the recipient, the mutation and its key
 * @throws `TRY_AGAIN` while the first request takes too long
 */
export async function issueOnce(
  redis: Redis,
  requestKey: string,
  issue: () => Promise<IssuedCode>,
): Promise<IssuedCode> {
  const deadlineMs = Date.now() + waitMaxMs;
  while (Date.now() < deadlineMs) {
    if (await redis.set(requestKey, pending, 'PX', claimMs, 'NX')) {
      return issueClaimed(redis, requestKey, issue);
    }
    const stored = await redis.get(requestKey);
    if (stored && stored !== pending) {
      const { challengeId, expiresAt } = JSON.parse(stored);
      return { challengeId, expiresAt: new Date(expiresAt) };
    }
    await new Promise((resolve) => setTimeout(resolve, waitStepMs));
  }
  throw tryAgain('The same request is already in progress. Please retry with the same key.');
}

async function issueClaimed(redis: Redis, requestKey: string, issue: () => Promise<IssuedCode>) {
  try {
    const issued = await issue();
    // The code was sent, so that a failure from here on must not be reported as one.
    await redis.set(requestKey, JSON.stringify(issued), 'PX', keepMs).catch(() => {});
    return issued;
  } catch (error) {
    await redis.del(requestKey).catch(() => {});
    throw error;
  }
}
