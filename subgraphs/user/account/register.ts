import { IsIn, Length } from 'class-validator';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import type { Role } from '../../shared/auth/tokens.js';
import type { Challenge } from '../../shared/challenge/challenge.js';
import { ChallengeTokenField } from '../../shared/challenge/challenge-token-field.js';
import { isUniqueViolation } from '../../shared/database/errors.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { newId } from '../../shared/ids.js';
import { fold } from '../../shared/text/fold.js';
import { parseEmail } from '../credentials/identifier.js';
import { hashPassword, refuseCommonPassword } from '../credentials/password.js';
import { openSessionOf, type SessionContext, sessionOf } from '../session/open-session.js';
import { Session } from '../session/session.js';
import { RoleEnum, User } from '../user.js';

@InputType({ description: 'Data of a new account.' })
export class RegisterInput {
  @Field(() => String, { description: 'Display name, 1 to 255 characters.' })
  @OneLine(255)
  name!: string;

  @Field(() => String, { description: 'E-mail address to log in with.' })
  @OneLine(255, { isIdentity: true })
  email!: string;

  @Field(() => String, {
    description: 'Password, 6 to 128 characters. The most common ones are refused.',
  })
  @Length(6, 128)
  password!: string;

  @Field(() => RoleEnum, { defaultValue: 'CUSTOMER', description: 'CUSTOMER or VENDOR.' })
  @IsIn(['CUSTOMER', 'VENDOR'], { message: 'must be CUSTOMER or VENDOR' })
  role!: Role;

  @ChallengeTokenField()
  challengeToken?: string | null;
}

/** The parts of the app that create accounts. */
export type RegisterContext = SessionContext & SubgraphContext<{ readonly challenge: Challenge }>;

@ObjectType({
  implements: Refusal,
  description: 'An account with this e-mail address already exists.',
})
export class IdentityTaken extends Refusal {}

export const RegisterResult = createUnionType({
  name: 'RegisterResult',
  description: 'A session of the new account, or the reason why it was refused.',
  types: () => [Session, IdentityTaken] as const,
});

/** Creates an account and logs it in. E-mail addresses are unique, case-insensitive. */
export async function register(
  { app, em }: RegisterContext,
  input: RegisterInput,
): Promise<Session | IdentityTaken> {
  const { email } = parseEmail('input.email', input.email);
  refuseCommonPassword('input.password', input.password);
  await app.challenge.require('input.challengeToken', input.challengeToken);
  const passwordHash = await hashPassword(input.password);
  const id = newId();
  const { name, role } = input;
  const account = `insert into user_account (id, name, name_key, email, role, password_hash)
    values ($1, $2, $3, $4, $5, $6) returning *`;
  const values = [id, name, fold(name), email, role, passwordHash];
  try {
    const opened = await openSessionOf(app.keys, em, { id, role }, { account, values });
    if (!opened) throw new Error('the inserted account was not returned');
    return sessionOf(opened.tokens, em.fork().map(User, opened.row));
  } catch (error) {
    if (!isUniqueViolation(error, 'user_account_email')) throw error;
    return result(IdentityTaken, {
      message:
        'An account with this e-mail address already exists. Log in, or use another address.',
    });
  }
}
