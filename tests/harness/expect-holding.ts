import type { Verdict } from '../../ops/verify/looks.js';
import { isBroken, report } from '../../ops/verify/verify.js';

/** @throws an error that names the invariants that do not hold, with the offending rows */
export function expectHolding(verdicts: readonly Verdict[]): void {
  const broken = verdicts.filter((verdict) => isBroken([verdict]));
  if (broken.length > 0) throw new Error(`invariants are broken:\n${report(broken)}`);
}
