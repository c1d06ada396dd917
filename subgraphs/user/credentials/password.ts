import { availableParallelism } from 'node:os';
import { type Algorithm, hash, verify } from '@node-rs/argon2';
import { dictionary } from '@zxcvbn-ts/language-common';
import pLimit from 'p-limit';
import { badInput, tryAgain } from '../../shared/errors.js';

// OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, two passes, one lane.
// The binding's enum exists in its types only: 2 is argon2id.
const argon2id = 2 as Algorithm;
const cost = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

// One more than there are cores, so that none idles while the event loop starts the next hash; at most
// three, so that many logins leave one of the four threads of Node's pool to other work.
const concurrencyMax = Math.min(availableParallelism() + 1, 3);
// Further requests are refused rather than left waiting, and those whose turn comes too late are not hashed.
const waitingMax = 500;
const waitMaxMs = 800;
const hashing = pLimit(concurrencyMax);

const tooManyLogins = () => tryAgain('Too many logins at the moment. Please try again.');

/** @throws `TRY_AGAIN` when 500 hashes are waiting, and after a wait of 0.8 s */
function enqueueHash<T>(work: () => Promise<T>): Promise<T> {
  if (hashing.pendingCount >= waitingMax) throw tooManyLogins();
  const latestMs = performance.now() + waitMaxMs;
  return hashing(() => {
    if (performance.now() > latestMs) throw tooManyLogins();
    return work();
  });
}

// Unicode has several encodings of one text, and keyboards differ in which they send.
const normalized = (password: string) => password.normalize('NFKC');

const common: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** @throws `BAD_USER_INPUT` for a password that is among the 49,000 most common (NIST SP 800-63B) */
export function refuseCommonPassword(path: string, password: string): void {
  if (common.has(normalized(password).toLowerCase())) {
    throw badInput({ [path]: 'is among the most common passwords; choose another' });
  }
}

export const hashPassword = async (password: string): Promise<string> =>
  enqueueHash(() => hash(normalized(password), cost));

const dummyHash = hash('the password of nobody', cost);

/** Takes as long without a stored hash as with one, so that its duration does not show which it was. */
export async function verifyPassword(stored: string | null | undefined, password: string) {
  const against = stored ?? (await dummyHash);
  const matches = await enqueueHash(() => verify(against, normalized(password)));
  return matches && stored !== null && stored !== undefined;
}
