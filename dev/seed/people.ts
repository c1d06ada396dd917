import { fold } from '../../subgraphs/shared/text/fold.js';
import { hashPassword } from '../../subgraphs/user/credentials/password.js';
import { oneOf } from './chance.js';
import { accounts, demoPassword } from './demo-store.js';
import { seedId } from './ids.js';
import { extraVendors } from './sellers.js';
import { firstNames, lastNames } from './words.js';

const customersMax = 1000;
const variantsPerCustomer = 10;
const customersFrom = 100;

/** Upper limit of accounts: their ids are `seedId('user', n)` with `n` below it. */
export const seededPeopleMax = customersFrom + customersMax;

/**
 * The accounts of the demo store; in a larger store also the vendors of its other shops and customers:
 * `vendor1@example.com`, `customer1@example.com` and so on. All have the demo password.
 */
export async function userRows(variants: number, isLarge: boolean) {
  // One hash for all: hashing is slow, and a salt protects nothing where the password is public.
  const password_hash = await hashPassword(demoPassword);
  const people: { n: number; name: string; email: string; phone: string | null; role: string }[] =
    accounts.map((account, n) => ({ n, ...account }));
  if (isLarge) {
    const nameOf = (n: number) =>
      `${oneOf(firstNames, 'first name', n)} ${oneOf(lastNames, 'last name', n)}`;
    for (let at = 0; at < extraVendors; at++) {
      const n = accounts.length + at;
      const email = `vendor${at + 1}@example.com`;
      people.push({ n, name: nameOf(n), email, phone: null, role: 'VENDOR' });
    }
    const customers = Math.min(customersMax, Math.ceil(variants / variantsPerCustomer));
    for (let at = 0; at < customers; at++) {
      const n = customersFrom + at;
      const email = `customer${at + 1}@example.com`;
      people.push({ n, name: nameOf(n), email, phone: null, role: 'CUSTOMER' });
    }
  }
  return people.map(({ n, ...person }) => {
    const name_key = fold(person.name);
    return { id: seedId('user', n), ...person, name_key, email_verified: true, password_hash };
  });
}
