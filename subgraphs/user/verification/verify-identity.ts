import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import type { Identifier } from '../../shared/auth/identifier.js';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { badInput, conflict, tryAgain } from '../../shared/errors.js';
import { result } from '../../shared/graphql/refusal.js';
import { newId } from '../../shared/ids.js';
import { fold } from '../../shared/text/fold.js';
import { detachIdentity } from '../account/detach-identity.js';
import { hashPassword, refuseCommonPassword } from '../credentials/password.js';
import { lockOwnerAndCaller, requireLiveSession } from '../locks.js';
import { endSessions } from '../session/end-sessions.js';
import { openSession, type SessionContext } from '../session/open-session.js';
import { InvalidCredentials, type Session } from '../session/session.js';
import { User } from '../user.js';
import type { AddPhoneInput, VerifyOtpInput } from './otp.js';
import type { CodeContext } from './request-code.js';

/** The parts of the app that verify an identity and log in its account. */
export type VerificationContext = CodeContext & SessionContext;

/** Logs in the account of a phone; registers one if the phone has none. */
export async function verifyOtp(context: VerificationContext, input: VerifyOtpInput) {
  return loginWithCode(context, 'phone', input, async (tx, identifier) => {
    const [owner] = await lockOwnerAndCaller(tx, identifier);
    return owner ?? newUser(tx, identifier, input);
  });
}

/**
 * Logs in the account that has proven an e-mail address. If there is none, the address goes to the caller's
 * account, or without a caller to a new one. An account that only claimed the address loses it, and its
 * sessions end. It is not handed over: its data and its access tokens, which are valid for some minutes
 * more, are the claimer's.
 */
export async function proveEmail(context: VerificationContext, input: VerifyOtpInput) {
  return loginWithCode(context, 'email', input, async (tx, identifier) => {
    const [owner, caller] = await lockOwnerAndCaller(tx, identifier, context.identity?.id);
    if (owner?.emailVerified) return owner;
    if (caller) await requireLiveSession(tx, context.identity?.sessionId as string);
    if (owner && owner !== caller) await detachIdentity(tx, owner);
    if (caller && owner !== caller) notifyPreviousContact(context, caller, 'e-mail address');
    const user = caller ?? newUser(tx, identifier, input);
    return Object.assign(user, identifier, { emailVerified: true });
  });
}

/**
 * Adds a phone number that the caller has proven to the caller's account.
 *
 * @throws `CONFLICT` where another account has it
 */
export async function addPhone(
  context: VerificationContext,
  input: AddPhoneInput,
  once?: Once<User>,
): Promise<User> {
  const { id, sessionId } = identityOf(context);
  const user = await context.app.codes.use(input, 'phone', (identifier) => {
    const work = async (tx: EntityManager) => {
      const [owner, caller] = await lockOwnerAndCaller(tx, identifier, id);
      await requireLiveSession(tx, sessionId);
      if (owner && owner !== caller)
        throw conflict('This phone number belongs to another account.');
      if (!owner) notifyPreviousContact(context, caller as User, 'phone number');
      return Object.assign(caller as User, identifier);
    };
    return inTransaction(context.em, work, once);
  });
  if (!user) throw badInput({ 'input.code': wrongCode });
  return user;
}

/**
 * Notifies the account's previous phone or proven address of a new way to log in: somebody with a stolen
 * token could have added it.
 */
function notifyPreviousContact(
  { app, logger }: VerificationContext,
  user: User,
  what: string,
): void {
  const to = user.phone
    ? { phone: user.phone }
    : user.emailVerified && user.email && { email: user.email };
  if (!to) return;
  const text = `A new ${what} was added to your Holdfast account. If this was not you, reset your password.`;
  app.messages
    .send({ to, subject: 'Your Holdfast account', text })
    .catch((error: Error) => logger.warn({ reason: error.message }, 'security notice failed'));
}

const wrongCode = 'is wrong or has expired. Request a new one';

/** Consumes the code, finds or creates the account, sets a new password if one is given, and logs in. */
async function loginWithCode(
  { app, em }: VerificationContext,
  kind: 'email' | 'phone',
  input: VerifyOtpInput,
  accountOf: (tx: EntityManager, identifier: Identifier) => Promise<User>,
): Promise<Session | InvalidCredentials> {
  const { newPassword } = input;
  if (newPassword) refuseCommonPassword('input.newPassword', newPassword);
  const session = await app.codes.use(input, kind, async (identifier) => {
    const passwordHash = newPassword ? await hashPassword(newPassword) : null;
    return inTransaction(em, async (tx) => {
      const user = await accountOf(tx, identifier);
      if (passwordHash) {
        user.passwordHash = passwordHash;
        await endSessions(tx, user.id);
      }
      await tx.flush();
      return openSession(app.keys, tx, user);
    });
  });
  return session ?? result(InvalidCredentials, { message: `The code ${wrongCode}.` });
}

/** Runs `work` in a transaction. @throws `TRY_AGAIN` where a concurrent request took the same identifier */
async function inTransaction<T>(
  em: EntityManager,
  work: (tx: EntityManager) => Promise<T>,
  once?: Once<T>,
): Promise<T> {
  try {
    return await transact(em, work, once);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw tryAgain('This account is being changed by another request. Please try again.');
  }
}

function newUser(tx: EntityManager, identifier: Identifier, { name, role }: VerifyOtpInput): User {
  if (!name) throw badInput({ 'input.name': 'is required for a new account' });
  const none = { email: null, phone: null, passwordHash: null };
  const user = tx.create(User, {
    ...none,
    ...identifier,
    id: newId(),
    name,
    nameKey: fold(name),
    role: role ?? 'CUSTOMER',
  });
  tx.persist(user);
  return user;
}
