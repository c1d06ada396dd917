import { Pool } from 'undici';
import { z } from 'zod';
import { type Config, ConfigError, type challengeVariables } from '../config.js';
import { badInput, tryAgain } from '../errors.js';
import type { Logger } from '../observability/logger.js';
import { Counter, type Registry } from '../observability/metrics.js';

const timeoutMs = 2000;
const connectionsMax = 64;

/** The greatest length of a token, in characters. */
export const challengeTokenMax = 8192;

/**
 * Asks a provider of challenges whether a person sends the request: Turnstile, hCaptcha, or one with the same
 * protocol (`siteverify`).
 */
export interface Challenge {
  /**
   * @param path of the token, for the error
   * @param withoutAnswer whether a request goes on when the provider does not answer within 2 s
   * @throws `BAD_USER_INPUT` without a token that the provider accepts; `TRY_AGAIN` when it does not answer within 2 s
   */
  require(
    path: string,
    token: string | null | undefined,
    withoutAnswer?: 'refuse' | 'allow',
  ): Promise<void>;
  close(): Promise<void>;
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
  'bad-request',
  'internal-error',
];

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
    if (statusCode !== 200) throw new Error(`it answered ${statusCode}`);
    const { success, 'error-codes': codes = [] } = answerShape.parse(JSON.parse(text));
    if (!success && codes.some((code) => faults.includes(code))) throw new Error(codes.join());
    return success;
  }
  async function outcomeOf(token: string): Promise<Outcome> {
    try {
      return (await verify(token)) ? 'passed' : 'refused';
    } catch (error) {
      logger.error({ reason: (error as Error).message }, 'challenge could not be verified');
      return 'unavailable';
    }
  }

  return {
    async require(path, token, withoutAnswer = 'refuse') {
      const outcome = token ? await outcomeOf(token) : 'refused';
      verifications.inc({ outcome });
      if (outcome === 'unavailable' && withoutAnswer === 'refuse') {
        throw tryAgain(
          'The check that you are a person does not work at the moment. Please try again.',
        );
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
