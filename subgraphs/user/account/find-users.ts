import { raw } from '@mikro-orm/postgresql';
import { parseIdentifier } from '../../shared/auth/identifier.js';
import { connectionOf, type PageArgs } from '../../shared/graphql/connection.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { findPage } from '../../shared/graphql/load.js';
import { whereIdentifier } from '../credentials/identifier.js';
import { User } from '../user.js';

export const UserConnection = connectionOf(User, 'User');

interface UserSearch extends PageArgs {
  readonly search?: string | undefined;
}

/** A page of users, newest first. @throws `BAD_USER_INPUT` for an invalid page */
export function findUsers({ em }: SubgraphContext, { first, after, search }: UserSearch) {
  const where = search ? whereFound(search) : {};
  return findPage(em, User, where, { first, after, order: 'desc' });
}

/** Each of the conditions is served by an index. */
function whereFound(search: string) {
  const beginning = `${search.replace(/[\\%_]/g, '\\$&')}%`;
  const identifier = parseIdentifier(search);
  const named = { [raw('lower(name)')]: { $like: raw('lower(?)', [beginning]) } };
  return { $or: [named, ...(identifier ? [whereIdentifier(identifier)] : [])] };
}
