import { Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { parseIdentifier } from '../../shared/auth/identifier.js';
import { result } from '../../shared/graphql/refusal.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { findAccount } from '../credentials/identifier.js';
import { verifyPassword } from '../credentials/password.js';
import { openSession, type SessionContext } from '../session/open-session.js';
import { InvalidCredentials, type Session } from '../session/session.js';

@InputType({ description: 'An account and its password.' })
export class LoginInput {
  @Field(() => String, {
    description: 'E-mail address, or phone number with country code.',
  })
  @OneLine(255, { isIdentity: true })
  identifier!: string;

  @Field(() => String, { description: 'Password.' })
  @Length(1, 128)
  password!: string;
}

/** Logs in by e-mail address or phone. Neither the answer nor its duration shows whether it has an account. */
export async function login(
  { app, em }: SessionContext,
  input: LoginInput,
): Promise<Session | InvalidCredentials> {
  const identifier = parseIdentifier(input.identifier);
  const user = identifier && (await findAccount(em, identifier));
  const matches = await verifyPassword(user?.passwordHash, input.password);
  const session = matches && user ? await openSession(app.keys, em, user) : null;
  return session ?? result(InvalidCredentials, { message: 'Unknown account or wrong password.' });
}
