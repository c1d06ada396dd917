import type { DatabaseUrls } from '../ops/databases/urls.js';
import { atRest, isBroken, verify } from '../ops/verify/verify.js';
import { type Check, invariantsCheck } from './report.js';

/** Checks all invariants of a system that nobody uses. */
export async function verifyAtRest(databases: DatabaseUrls): Promise<Check> {
  const verdicts = await verify(databases, atRest);
  return invariantsCheck(verdicts.filter((verdict) => isBroken([verdict])).map(({ name }) => name));
}
