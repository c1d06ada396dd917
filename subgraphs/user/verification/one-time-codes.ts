import { createHmac, randomInt, randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { canonical, type Identifier } from '../../shared/auth/identifier.js';
import { DomainError, rateLimited, tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/observability/logger.js';
import { type CodeRequest, type IssuedCode, issueOnce } from './issue-once.js';

const digits = 6;
const validMs = 5 * 60_000;
const attemptsMax = 5;
// Messages cost money and annoy. The limits count per identity, whoever requests the codes.
const issueLimits = [
  { points: 5, duration: 15 * 60 },
  { points: 20, duration: 24 * 3600 },
];

const tooMany =
  'Too many codes were requested, or too many wrong ones entered. Wait, then try again.';

// Counts the attempt before it compares, so that concurrent attempts are all counted.
const consumeScript = `
local attempts = redis.call('incr', KEYS[2])
if attempts == 1 then redis.call('pexpire', KEYS[2], ARGV[4]) end
if attempts > tonumber(ARGV[3]) then return 0 end
local code = redis.call('hmget', KEYS[1], 'challenge', 'mac')
if code[1] ~= ARGV[1] or code[2] ~= ARGV[2] then return 0 end
local leftMs = redis.call('pttl', KEYS[1])
redis.call('del', KEYS[1], KEYS[2])
return leftMs`;

const restoreScript = `
if redis.call('exists', KEYS[1]) == 1 then return 0 end
redis.call('hset', KEYS[1], 'challenge', ARGV[1], 'mac', ARGV[2])
return redis.call('pexpire', KEYS[1], ARGV[3])`;

interface IssueSteps {
  admit(): Promise<void>;
  send(code: string): Promise<void>;
}

/** One-time codes, stored in Redis as HMACs. A code proves that its sender receives messages to the identity. */
export interface OneTimeCodes {
  /**
   * Creates and sends a code; the previous one becomes invalid. A code that could not be sent does not
   * count towards the limits.
   *
   * @param steps `admit` throws for a request that must not issue a code; it is not run for a repeat, as the token of a
   *   challenge is valid once
   * @param request a repeat of it returns the first challenge, and sends nothing (`issueOnce`)
   * @throws `RATE_LIMITED`, `TRY_AGAIN`, and what the steps throw
   */
  issue(identifier: Identifier, steps: IssueSteps, request?: CodeRequest): Promise<IssuedCode>;
  /**
   * Consumes a code and runs `work`. If that fails, the code is restored, so that the request can be
   * repeated or corrected.
   *
   * @param kind the kind of identity that the challenge must have
   * @returns null for a code that is wrong, used, replaced or expired, and after too many wrong codes
   */
  use<T>(
    given: { readonly challengeId: string; readonly code: string },
    kind: 'email' | 'phone',
    work: (identifier: Identifier) => Promise<T>,
  ): Promise<T | null>;
}

export function createOneTimeCodes(redis: Redis, secret: string, logger: Logger): OneTimeCodes {
  const orTryAgain = tryAgainOnFailure(logger);
  const mac = (text: string) => createHmac('sha256', secret).update(text).digest('base64url');
  const keysOf = (identifier: Identifier) => {
    const id = mac(canonical(identifier));
    return { id, code: `code:${id}`, attempts: `attempts:${id}` };
  };
  const limits = issueLimits.map(
    (limit) =>
      new RateLimiterRedis({ storeClient: redis, keyPrefix: `issued:${limit.duration}`, ...limit }),
  );

  async function issueNew(
    identifier: Identifier,
    { admit, send }: IssueSteps,
  ): Promise<IssuedCode> {
    await admit();
    const keys = keysOf(identifier);
    const challengeId = randomUUID();
    const code = randomInt(10 ** digits)
      .toString()
      .padStart(digits, '0');
    await orTryAgain(async () => {
      await refuseWhileExhausted(redis, keys.attempts);
      for (const limit of limits) await limit.consume(keys.id);
      await redis
        .multi()
        .set(`challenge:${challengeId}`, JSON.stringify(identifier), 'PX', validMs)
        .del(keys.code)
        .hset(keys.code, { challenge: challengeId, mac: mac(`${challengeId} ${code}`) })
        .pexpire(keys.code, validMs)
        .exec();
    });
    try {
      await send(code);
    } catch (error) {
      await Promise.all(limits.map((limit) => limit.reward(keys.id))).catch(() => {});
      throw error;
    }
    return { challengeId, expiresAt: new Date(Date.now() + validMs) };
  }

  return {
    async issue(identifier, steps, request) {
      if (!request) return issueNew(identifier, steps);
      const { operation, idempotencyKey } = request;
      const requestKey = `request:${mac(`${canonical(identifier)} ${operation} ${idempotencyKey}`)}`;
      return orTryAgain(() => issueOnce(redis, requestKey, () => issueNew(identifier, steps)));
    },

    async use({ challengeId, code }, kind, work) {
      const text = await orTryAgain(() => redis.get(`challenge:${challengeId}`));
      if (!text) return null;
      const identifier = JSON.parse(text) as Identifier;
      if (!(kind in identifier)) return null;
      const keys = keysOf(identifier);
      const given = [challengeId, mac(`${challengeId} ${code}`)] as const;
      const leftMs = await orTryAgain(() =>
        redis.eval(consumeScript, 2, keys.code, keys.attempts, ...given, attemptsMax, validMs),
      );
      if (!leftMs) return null;
      try {
        return await work(identifier);
      } catch (error) {
        await redis.eval(restoreScript, 1, keys.code, ...given, leftMs as number).catch(() => {});
        throw error;
      }
    },
  };
}

/** A new code could not be used before the count of attempts expires. */
async function refuseWhileExhausted(redis: Redis, attemptsKey: string): Promise<void> {
  if (Number(await redis.get(attemptsKey)) < attemptsMax) return;
  throw rateLimited(tooMany, await redis.pttl(attemptsKey));
}

/** Runs Redis commands; their failure is `TRY_AGAIN`, an exceeded limit `RATE_LIMITED`. */
const tryAgainOnFailure =
  (logger: Logger) =>
  async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (error instanceof RateLimiterRes) throw rateLimited(tooMany, error.msBeforeNext);
      if (error instanceof DomainError) throw error;
      // Only its message: ioredis keeps the command's arguments in the error.
      logger.error({ reason: (error as Error).message }, 'one-time code store failed');
      throw tryAgain('Codes are temporarily unavailable. Please try again.');
    }
  };
