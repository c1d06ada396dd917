import { Field, InputType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import type { Role } from '../../shared/auth/tokens.js';
import { transact } from '../../shared/database/transact.js';
import { conflict, forbidden, notFound } from '../../shared/errors.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { lockUsers, requireLiveSession } from '../locks.js';
import { closeStreams } from '../session/end-sessions.js';
import { RoleEnum, User } from '../user.js';

@InputType({ description: 'The new role of a user.' })
export class SetRoleInput {
  @Field(() => UUID, { description: 'The user.' })
  userId!: string;

  @Field(() => RoleEnum, { description: 'New role.' })
  role!: Role;
}

/**
 * Gives a user a role. It is in the user's next access token, at most 15 minutes from now. The user's open
 * subscriptions are closed.
 *
 * @throws `CONFLICT` for the caller's own role, so that an admin always remains; `FORBIDDEN` where the
 *   caller is no longer an admin; `NOT_FOUND`, `UNAUTHENTICATED`
 */
export async function setRole(
  context: SubgraphContext,
  { userId, role }: SetRoleInput,
): Promise<User> {
  const { id, sessionId } = identityOf(context);
  if (userId === id) throw conflict('You cannot change your own role. Ask another admin.');
  return transact(context.em, async (tx) => {
    await lockUsers(tx, [id, userId]);
    await requireLiveSession(tx, sessionId);
    // The token may be older than a change of the caller's own role.
    const self = await tx.findOneOrFail(User, { id });
    if (self.role !== 'ADMIN') throw forbidden();
    const user = await tx.findOne(User, { id: userId });
    if (!user) throw notFound('user', userId);
    if (user.role !== role) await closeStreams(tx, userId, role);
    user.role = role;
    return user;
  });
}
