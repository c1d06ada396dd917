import { Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { transact } from '../../shared/database/transact.js';
import { result } from '../../shared/graphql/refusal.js';
import { hashPassword, refuseCommonPassword, verifyPassword } from '../credentials/password.js';
import { lockUsers, requireLiveSession } from '../locks.js';
import { endSessions, invalidateRefreshTokens } from '../session/end-sessions.js';
import { issueTokens, type SessionContext } from '../session/open-session.js';
import { InvalidCredentials, type Session } from '../session/session.js';
import { User } from '../user.js';

@InputType({ description: 'The current password and a new one.' })
export class ChangePasswordInput {
  @Field(() => String, { description: 'Current password.' })
  @Length(1, 128)
  currentPassword!: string;

  @Field(() => String, {
    description: 'New password, 6 to 128 characters. The most common ones are refused.',
  })
  @Length(6, 128)
  newPassword!: string;
}

/**
 * Sets a new password. All other sessions of the user end; this one continues with the returned tokens, and
 * its former refresh token becomes invalid.
 *
 * @throws `UNAUTHENTICATED` when the session of the access token has ended
 */
export async function changePassword(
  context: SessionContext,
  input: ChangePasswordInput,
): Promise<Session | InvalidCredentials> {
  const { id, sessionId } = identityOf(context);
  refuseCommonPassword('input.newPassword', input.newPassword);
  const before = await context.em.fork().findOneOrFail(User, { id });
  if (!(await verifyPassword(before.passwordHash, input.currentPassword))) {
    return wrongPassword();
  }
  const passwordHash = await hashPassword(input.newPassword);
  return transact(context.em, async (tx) => {
    await lockUsers(tx, [id]);
    await requireLiveSession(tx, sessionId);
    const user = await tx.findOneOrFail(User, { id });
    if (user.passwordHash !== before.passwordHash) return wrongPassword();
    user.passwordHash = passwordHash;
    await endSessions(tx, id, { except: sessionId });
    await invalidateRefreshTokens(tx, sessionId);
    return issueTokens(context.app.keys, tx, user, sessionId);
  });
}

const wrongPassword = () =>
  result(InvalidCredentials, { message: 'The current password is wrong.' });
