import { validate as isUuid } from 'uuid';
import { identityOf, type Principal } from '../auth/callers.js';

/**
 * The actor of an entry of a history, as the user sees it: the id of another user is shown to admins only.
 *
 * @param known what users of these ids are called instead of `another`
 * @throws `UNAUTHENTICATED`
 */
export function shownActor(
  principal: Principal,
  actor: string,
  known: Readonly<Record<string, string>> = {},
): string {
  const { id, role } = identityOf(principal);
  if (!isUuid(actor) || actor === id || role === 'ADMIN') return actor;
  return known[actor] ?? 'another';
}
