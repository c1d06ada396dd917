import { Length } from 'class-validator';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { parseIdentifier } from '../../shared/auth/identifier.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import type { UserContext } from '../context.js';
import { findAccount } from '../credentials/identifier.js';
import { verifyPassword } from '../credentials/password.js';
import { openSession } from '../session/open-session.js';
import { Session } from '../session/session.js';

@InputType({ description: 'Who logs in, and with what.' })
export class LoginInput {
  @Field(() => String, {
    description: 'An e-mail address, or a phone number with its country code.',
  })
  @Length(1, 255)
  identifier!: string;

  @Field(() => String, { description: 'The password.' })
  @Length(1, 128)
  password!: string;
}

@ObjectType({
  implements: Refusal,
  description: 'There is no such account, or not with this password.',
})
export class InvalidCredentials extends Refusal {}

export const LoginResult = createUnionType({
  name: 'LoginResult',
  description: 'A session, or why there is none.',
  types: () => [Session, InvalidCredentials] as const,
});

/** Logs in by e-mail address or phone. Does not tell, by answer or by time, whether one is known. */
export async function login(
  { app, em }: UserContext,
  input: LoginInput,
): Promise<Session | InvalidCredentials> {
  const identifier = parseIdentifier(input.identifier);
  const user = identifier && (await findAccount(em, identifier));
  const matches = await verifyPassword(user?.passwordHash, input.password);
  const session = matches && user ? await openSession(app.keys, em, user) : null;
  return (
    session ?? result(InvalidCredentials, { message: 'This account and password do not match.' })
  );
}
