import { Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { parseIdentifier } from '../../shared/auth/identifier.js';
import { result } from '../../shared/graphql/refusal.js';
import { findAccount } from '../credentials/identifier.js';
import { verifyPassword } from '../credentials/password.js';
import { openSession, type SessionContext } from '../session/open-session.js';
import { InvalidCredentials, type Session } from '../session/session.js';

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

/** Logs in by e-mail address or phone. Does not tell, by answer or by time, whether one is known. */
export async function login(
  { app, em }: SessionContext,
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
