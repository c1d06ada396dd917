import { dictionary } from '@zxcvbn-ts/language-common';
import { badInput } from '../../shared/errors.js';

const common: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** @throws `BAD_USER_INPUT` for a password that is among the 49,000 most common (NIST SP 800-63B) */
export function refuseCommonPassword(path: string, password: string): void {
  if (common.has(password.normalize('NFKC').toLowerCase())) {
    throw badInput({ [path]: 'is among the most common passwords; choose another' });
  }
}
