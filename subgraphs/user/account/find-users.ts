import { parseIdentifier } from '../../shared/auth/identifier.js';
import { connectionOf, type PageArgs } from '../../shared/graphql/connection.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { findPage } from '../../shared/graphql/load.js';
import { fold } from '../../shared/text/fold.js';
import { tokensOf } from '../../shared/text/tokens.js';
import { hasVisibleText } from '../../shared/text/visible-text.js';
import { whereIdentifier } from '../credentials/identifier.js';
import { User } from '../user.js';

export const UserConnection = connectionOf(User, 'User');

interface UserSearch extends PageArgs {
  readonly search?: string | undefined;
}

/**
 * A page of users, newest first. A search finds names that begin with it, in any case and with or without accents.
 *
 * @throws `BAD_USER_INPUT` for an invalid page
 */
export function findUsers({ em }: SubgraphContext, { first, after, search }: UserSearch) {
  const where = hasVisibleText(search) ? whereFound(search) : {};
  return findPage(em, User, where, { first, after, order: 'desc' });
}

/** Each of the conditions is served by an index. */
function whereFound(search: string) {
  const conditions = [];
  if (tokensOf(search).length > 0) {
    const beginning = fold(search.trim()).replace(/[\\%_]/g, '\\$&');
    conditions.push({ nameKey: { $like: `${beginning}%` } });
  }
  const identifier = parseIdentifier(search);
  if (identifier) conditions.push(whereIdentifier(identifier));
  return conditions.length > 0 ? { $or: conditions } : { id: null };
}
