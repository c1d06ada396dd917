import { randomUUID } from 'node:crypto';
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

// If a process ends while it sends the code, a repeat sends another one after this time.
const claimMs = 10_000;
const waitMaxMs = 5000;
const waitStepMs = 50;
const pendingPrefix = 'pending ';

// Of a claim that expired, another request may have the key.
const storeScript = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

const unclaimScript = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`;

/**
 * Issues a code once for each idempotency key: a repeat returns the first challenge, and sends nothing. The
 * key is in Redis, where the code is, and as long as the code is valid: not longer, as whoever knows a
 * recipient and guesses a key suppresses the codes under it.
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
    const claim = `${pendingPrefix}${randomUUID()}`;
    if (await redis.set(requestKey, claim, 'PX', claimMs, 'NX')) {
      return issueClaimed(redis, requestKey, claim, issue);
    }
    const stored = await redis.get(requestKey);
    if (stored && !stored.startsWith(pendingPrefix)) {
      const { challengeId, expiresAt } = JSON.parse(stored);
      return { challengeId, expiresAt: new Date(expiresAt) };
    }
    await new Promise((resolve) => setTimeout(resolve, waitStepMs));
  }
  throw tryAgain('The same request is already in progress. Please retry with the same key.');
}

async function issueClaimed(
  redis: Redis,
  requestKey: string,
  claim: string,
  issue: () => Promise<IssuedCode>,
): Promise<IssuedCode> {
  try {
    const issued = await issue();
    // The code was sent, so that a failure from here on must not be reported as one.
    const leftMs = Math.max(1, issued.expiresAt.getTime() - Date.now());
    await redis
      .eval(storeScript, 1, requestKey, claim, JSON.stringify(issued), leftMs)
      .catch(() => {});
    return issued;
  } catch (error) {
    await redis.eval(unclaimScript, 1, requestKey, claim).catch(() => {});
    throw error;
  }
}
