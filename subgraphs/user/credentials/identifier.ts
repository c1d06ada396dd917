import type { EntityDictionary } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { raw } from '@mikro-orm/postgresql';
import { isEmail } from 'class-validator';
import {
  canonical,
  type Identifier,
  parseIdentifier,
  phoneOf,
} from '../../shared/auth/identifier.js';
import { sql } from '../../shared/database/sql.js';
import { badInput } from '../../shared/errors.js';
import { phoneMessage } from '../../shared/graphql/validation.js';
import { User } from '../user.js';

/** @throws `BAD_USER_INPUT` */
export function parsePhone(path: string, text: string): Identifier {
  const phone = phoneOf(text);
  if (phone) return { phone };
  throw badInput({ [path]: phoneMessage });
}

const emailMax = 255;

/** @throws `BAD_USER_INPUT` */
export function parseEmail(path: string, text: string): { readonly email: string } {
  const identifier = parseIdentifier(text);
  if (identifier && 'email' in identifier) {
    const { email } = identifier;
    if (isEmail(email) && email.length <= emailMax) return { email };
  }
  throw badInput({ [path]: 'must be an e-mail address' });
}

/** The indexed expression that is the `canonical` form of an account's identifier. */
const columnOf = (identifier: Identifier) => ('phone' in identifier ? 'phone' : 'lower(email)');

/** The condition that finds the one account with an identifier. */
export const whereIdentifier = (identifier: Identifier) => ({
  [raw(columnOf(identifier))]: canonical(identifier),
});

/** The one account with an identifier, mapped from a plain row: a login must be cheap. */
export async function findAccount(em: EntityManager, identifier: Identifier): Promise<User | null> {
  const [row] = await sql<EntityDictionary<User>>(
    em,
    `select * from user_account where ${columnOf(identifier)} = $1`,
    [canonical(identifier)],
  );
  return row ? em.fork().map(User, row) : null;
}
