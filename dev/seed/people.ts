import { hashPassword } from '../../subgraphs/user/credentials/password.js';
import { oneOf } from './chance.js';
import { accounts, demoPassword } from './demo-store.js';
import { seedId } from './ids.js';
import { furtherVendors } from './sellers.js';
import { firstNames, lastNames } from './words.js';

const customersMax = 1000;
const variantsPerCustomer = 10;
const customersFrom = 100;

/** How many accounts there may be: their ids are those of `seedId('user', n)`, n below this. */
export const seededPeopleMax = customersFrom + customersMax;

/**
 * The demo store’s accounts; in a larger store the vendors of its other shops and customers too,
 * `vendor1@example.com` and `customer1@example.com` and so on. All have the demo password.
 */
export async function userRows(variants: number, isLarge: boolean) {
  // Hashing is what takes long, and one salt less is no loss where all know the password.
  const password_hash = await hashPassword(demoPassword);
  const people: { n: number; name: string; email: string; phone: string | null; role: string }[] =
    accounts.map((account, n) => ({ n, ...account }));
  if (isLarge) {
    const nameOf = (n: number) =>
      `${oneOf(firstNames, 'first name', n)} ${oneOf(lastNames, 'last name', n)}`;
    for (let at = 0; at < furtherVendors; at++) {
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
    return { id: seedId('user', n), ...person, email_verified: true, password_hash };
  });
}
