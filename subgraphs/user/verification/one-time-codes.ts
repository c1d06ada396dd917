import { createHmac, randomInt, randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { canonical, type Identifier } from '../../shared/auth/identifier.js';
import { DomainError, rateLimited, tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/observability/logger.js';

const digits = 6;
const lifeMs = 5 * 60_000;
const triesMax = 5;
// What is sent costs money and annoys: so many codes an identity, whoever asks for them.
const issueLimits = [
  { points: 5, duration: 15 * 60 },
  { points: 20, duration: 24 * 3600 },
];

const tooMany = 'Too many codes, or too many wrong ones, in a short time: wait, then ask again.';

// Counts the try before it looks, so that tries at the same moment are all counted.
const useCode = `
local tries = redis.call('incr', KEYS[2])
if tries == 1 then redis.call('pexpire', KEYS[2], ARGV[4]) end
if tries > tonumber(ARGV[3]) then return 0 end
local code = redis.call('hmget', KEYS[1], 'challenge', 'mac')
if code[1] ~= ARGV[1] or code[2] ~= ARGV[2] then return 0 end
local leftMs = redis.call('pttl', KEYS[1])
redis.call('del', KEYS[1], KEYS[2])
return leftMs`;

const putCodeBack = `
if redis.call('exists', KEYS[1]) == 1 then return 0 end
redis.call('hset', KEYS[1], 'challenge', ARGV[1], 'mac', ARGV[2])
return redis.call('pexpire', KEYS[1], ARGV[3])`;

export interface IssuedCode {
  readonly challengeId: string;
  readonly expiresAt: Date;
}

/** One-time codes, kept in Redis as HMACs; each proves that its identity is reached by who has it. */
export interface OneTimeCodes {
  /**
   * Makes a code and has it sent; the one before it is good no more. One that could not be sent does
   * not count as asked for.
   *
   * @throws `RATE_LIMITED`, `TRY_AGAIN`, and what `send` throws
   */
  issue(identifier: Identifier, send: (code: string) => Promise<void>): Promise<IssuedCode>;
  /**
   * Uses a code up and does what it is for. Where that fails, the code is put back, so that the
   * same can be asked again, or in a better way.
   *
   * @param kind what the challenge has to be of
   * @returns null for a code that is wrong, used, replaced, too old, or tried too often
   */
  use<T>(
    given: { readonly challengeId: string; readonly code: string },
    kind: 'email' | 'phone',
    work: (identifier: Identifier) => Promise<T>,
  ): Promise<T | null>;
}

export function createOneTimeCodes(redis: Redis, secret: string, logger: Logger): OneTimeCodes {
  const orTryAgain = tryAgainWhenAway(logger);
  const mac = (text: string) => createHmac('sha256', secret).update(text).digest('base64url');
  const keysOf = (identifier: Identifier) => {
    const id = mac(canonical(identifier));
    return { id, code: `code:${id}`, tries: `tries:${id}` };
  };
  const limits = issueLimits.map(
    (limit) =>
      new RateLimiterRedis({ storeClient: redis, keyPrefix: `asked:${limit.duration}`, ...limit }),
  );

  return {
    async issue(identifier, send) {
      const keys = keysOf(identifier);
      const challengeId = randomUUID();
      const code = randomInt(10 ** digits)
        .toString()
        .padStart(digits, '0');
      await orTryAgain(async () => {
        await refuseWhileTriedOut(redis, keys.tries);
        for (const limit of limits) await limit.consume(keys.id);
        await redis
          .multi()
          .set(`challenge:${challengeId}`, JSON.stringify(identifier), 'PX', lifeMs)
          .del(keys.code)
          .hset(keys.code, { challenge: challengeId, mac: mac(`${challengeId} ${code}`) })
          .pexpire(keys.code, lifeMs)
          .exec();
      });
      try {
        await send(code);
      } catch (error) {
        await Promise.all(limits.map((limit) => limit.reward(keys.id))).catch(() => {});
        throw error;
      }
      return { challengeId, expiresAt: new Date(Date.now() + lifeMs) };
    },

    async use({ challengeId, code }, kind, work) {
      const text = await orTryAgain(() => redis.get(`challenge:${challengeId}`));
      if (!text) return null;
      const identifier = JSON.parse(text) as Identifier;
      if (!(kind in identifier)) return null;
      const keys = keysOf(identifier);
      const given = [challengeId, mac(`${challengeId} ${code}`)] as const;
      const leftMs = await orTryAgain(() =>
        redis.eval(useCode, 2, keys.code, keys.tries, ...given, triesMax, lifeMs),
      );
      if (!leftMs) return null;
      try {
        return await work(identifier);
      } catch (error) {
        await redis.eval(putCodeBack, 1, keys.code, ...given, leftMs as number).catch(() => {});
        throw error;
      }
    },
  };
}

/** A new code would be of no use before the tries are forgotten. */
async function refuseWhileTriedOut(redis: Redis, triesKey: string): Promise<void> {
  if (Number(await redis.get(triesKey)) < triesMax) return;
  throw rateLimited(tooMany, await redis.pttl(triesKey));
}

const tryAgainWhenAway =
  (logger: Logger) =>
  async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof RateLimiterRes) throw rateLimited(tooMany, error.msBeforeNext);
      if (error instanceof DomainError) throw error;
      // Only its message: ioredis keeps the command's arguments in the error.
      logger.error({ reason: (error as Error).message }, 'codes cannot be kept in Redis');
      throw tryAgain('No code can be made or checked at this moment; ask again.');
    }
  };
