import { request } from 'undici';
import { z } from 'zod';
import type { Logger } from '../../../shared/observability/logger.js';
import type { Beacon } from './beacon-chain.js';
import { isSignatureOfRound } from './beacon-signature.js';

const timeoutMs = 3000;

const answerShape = z.object({
  round: z.number(),
  signature: z.string().regex(/^[0-9a-f]{96}$/),
});

/**
 * Reads the signature of a round of the beacon, at each of its addresses in turn, and checks it.
 *
 * @returns null while no address has it
 */
export async function readBeacon(
  beacon: Beacon,
  round: number,
  logger: Logger,
): Promise<Buffer | null> {
  for (const url of beacon.urls) {
    try {
      return await readAt(url, beacon, round);
    } catch (error) {
      logger.warn({ url, round, reason: (error as Error).message }, 'beacon could not be read');
    }
  }
  return null;
}

async function readAt(url: string, { hash, publicKey }: Beacon, round: number): Promise<Buffer> {
  const { statusCode, body } = await request(`${url}/${hash}/public/${round}`, {
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`it answered ${statusCode}`);
  const answer = answerShape.parse(JSON.parse(text));
  const signature = Buffer.from(answer.signature, 'hex');
  if (answer.round !== round || !isSignatureOfRound(publicKey, round, signature)) {
    throw new Error('its signature is wrong');
  }
  return signature;
}
