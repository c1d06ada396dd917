import type { EntityDictionary } from '@mikro-orm/core';
import { raw } from '@mikro-orm/postgresql';
import { isEmail } from 'class-validator';
import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/min/metadata';
import { type EntityManager, sql } from '../../shared/database.js';
import { badInput } from '../../shared/errors.js';
import { User } from './user.js';

/** By what a user is known and reached; a phone number is E.164. */
export type Identifier = { readonly email: string } | { readonly phone: string };

const phoneOf = (text: string): string | null => {
  const phone = parsePhoneNumberFromString(text.trim(), metadata);
  return phone?.isValid() ? phone.number : null;
};

/** Tells an e-mail address from a phone number; null for neither. */
export function parseIdentifier(text: string): Identifier | null {
  if (text.includes('@')) return { email: text.trim() };
  const phone = phoneOf(text);
  return phone ? { phone } : null;
}

/** @throws `BAD_USER_INPUT` */
export function parsePhone(path: string, text: string): Identifier {
  const phone = phoneOf(text);
  if (phone) return { phone };
  throw badInput({ [path]: 'must be a phone number with its country code, such as +12025550143' });
}

const emailMax = 255;

/** @throws `BAD_USER_INPUT` */
export function parseEmail(path: string, text: string): Identifier {
  const email = text.trim();
  if (isEmail(email) && email.length <= emailMax) return { email };
  throw badInput({ [path]: 'must be an e-mail address' });
}

/** The condition that finds the one account with an identifier. */
export function whereIdentifier(identifier: Identifier) {
  if ('phone' in identifier) return { phone: identifier.phone };
  // Folded by PostgreSQL on both sides: it and JavaScript differ beyond ASCII.
  return { [raw('lower(email)')]: raw('lower(?)', [identifier.email]) };
}

/** The one account with an identifier, read as a plain row: many log in at once. */
export async function findAccount(em: EntityManager, identifier: Identifier): Promise<User | null> {
  const [condition, value] =
    'phone' in identifier
      ? ['phone = $1', identifier.phone]
      : ['lower(email) = lower($1)', identifier.email];
  const [row] = await sql<EntityDictionary<User>>(
    em,
    `select * from user_account where ${condition}`,
    [value],
  );
  return row ? em.fork().map(User, row) : null;
}
