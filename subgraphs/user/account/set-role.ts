import { Field, InputType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import type { Role } from '../../shared/auth/tokens.js';
import { conflict, forbidden, notFound } from '../../shared/errors.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { lockUsers, requireLiveSession } from '../locks.js';
import { RoleEnum, User } from '../user.js';

@InputType({ description: 'Who gets which role.' })
export class SetRoleInput {
  @Field(() => UUID, { description: 'The user.' })
  userId!: string;

  @Field(() => RoleEnum, { description: 'What the user may do from now on.' })
  role!: Role;
}

/**
 * Gives a user a role; it is in the user's next access token, at most 15 minutes from now.
 *
 * @throws `CONFLICT` for one's own role, so that there is always an admin left
 */
export async function setRole(
  context: SubgraphContext,
  { userId, role }: SetRoleInput,
): Promise<User> {
  const { id, sessionId } = identityOf(context);
  if (userId === id) throw conflict('One’s own role is changed by another admin.');
  return context.em.fork().transactional(async (tx) => {
    await lockUsers(tx, [id, userId]);
    await requireLiveSession(tx, sessionId);
    // The token may be older than what another admin has made of its user.
    const self = await tx.findOneOrFail(User, { id });
    if (self.role !== 'ADMIN') throw forbidden();
    const user = await tx.findOne(User, { id: userId });
    if (!user) throw notFound('user', userId);
    user.role = role;
    return user;
  });
}
