import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Pool } from 'undici';
import { z } from 'zod';
import { type Config, ConfigError, type challengeVariables } from '../config.js';
import { badInput, tryAgain } from '../errors.js';
import type { Logger } from '../observability/logger.js';
import { Counter, type Registry } from '../observability/metrics.js';

const timeoutMs = 2000;
/** Verifications at a time: none waits for a connection within its 2 s. */
const connectionsMax = 256;
const passedMax = 100_000;
const passedForMs = 300_000;

/** The greatest length of a token, in characters. */
export const challengeTokenMax = 8192;

/**
 * Asks a provider of challenges whether a person sends the request: Turnstile, hCaptcha, or one with the same
 * protocol (`siteverify`).
 */
export interface Challenge {
  /**
   * @param path of the token, for the error
   * @throws `BAD_USER_INPUT` without a token that the provider accepts; `TRY_AGAIN` when it does not answer within 2 s,
   *   or too many are verified
   */
  require(path: string, token: string | null | undefined, how?: ChallengeOptions): Promise<void>;
  close(): Promise<void>;
}

export interface ChallengeOptions {
  /** whether a request goes on when the provider does not answer within 2 s; by default it is refused */
  readonly withoutAnswer?: 'refuse' | 'allow';
  /**
   * A token is valid once. That of this user passes again for 5 minutes in this process, as the user may have to
   * repeat the request
   */
  readonly userId?: string;
}

type ChallengeConfig = Config<typeof challengeVariables>;

const answerShape = z.object({
  success: z.boolean(),
  'error-codes': z.array(z.string()).optional(),
});

/** Codes that say nothing about the token. */
const faults = [
  'missing-input-secret',
  'invalid-input-secret',
  'sitekey-secret-mismatch',
  'internal-error',
];

/** Answers to a request that is malformed: our part of it never is. */
const refusals = [400, 413, 414, 422];

type Outcome = 'passed' | 'refused' | 'unavailable';

/**
 * Requires nothing while `CHALLENGE_VERIFY_URL` is empty.
 *
 * @throws ConfigError for a URL without a secret
 */
export function createChallenge(
  { CHALLENGE_VERIFY_URL: url, CHALLENGE_SECRET: secret }: ChallengeConfig,
  registry: Registry,
  logger: Logger,
): Challenge {
  const verifications = new Counter({
    name: 'holdfast_challenges_total',
    help: 'Challenges of requests to register, for codes and to join a queue, by their outcome.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  if (!url) return { require: async () => {}, close: async () => {} };
  if (!secret) throw new ConfigError(['CHALLENGE_VERIFY_URL needs CHALLENGE_SECRET']);
  for (const outcome of ['passed', 'refused', 'unavailable']) verifications.inc({ outcome }, 0);
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, { connections: connectionsMax });

  /** @throws Error if the provider cannot say whether the token is good */
  async function verify(token: string): Promise<boolean> {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: pathname + search,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ secret, response: token }).toString(),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await body.text();
    if (refusals.includes(statusCode)) return false;
    if (statusCode !== 200) throw new Error(`it answered ${statusCode}`);
    const { success, 'error-codes': codes = [] } = answerShape.parse(JSON.parse(text));
    if (!success && codes.some((code) => faults.includes(code))) throw new Error(codes.join());
    return success;
  }
  const passed = new LRUCache<string, true>({ max: passedMax, ttl: passedForMs });
  let verifying = 0;
  async function outcomeOf(token: string, userId: string | undefined): Promise<Outcome> {
    if (token.length > challengeTokenMax) return 'refused';
    const key = userId && createHash('sha256').update(`${userId} ${token}`).digest('base64');
    if (key && passed.has(key)) return 'passed';
    if (verifying >= connectionsMax) throw unavailable();
    verifying += 1;
    try {
      if (!(await verify(token))) return 'refused';
      if (key) passed.set(key, true);
      return 'passed';
    } catch (error) {
      logger.error({ reason: (error as Error).message }, 'challenge could not be verified');
      return 'unavailable';
    } finally {
      verifying -= 1;
    }
  }

  return {
    async require(path, token, { withoutAnswer = 'refuse', userId } = {}) {
      const outcome = token ? await outcomeOf(token, userId) : 'refused';
      verifications.inc({ outcome });
      if (outcome === 'unavailable' && withoutAnswer === 'refuse') {
        throw unavailable();
      }
      if (outcome === 'refused') {
        throw badInput({
          [path]: 'is missing, used or expired: solve the challenge and try again',
        });
      }
    },
    close: () => pool.close(),
  };
}

const unavailable = () =>
  tryAgain('The check that you are a person does not work at the moment. Please try again.');
