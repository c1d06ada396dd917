import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import type { Identifier } from '../../shared/auth/identifier.js';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { badInput, conflict, tryAgain } from '../../shared/errors.js';
import { result } from '../../shared/graphql/refusal.js';
import { newId } from '../../shared/ids.js';
import { detachIdentity } from '../account/detach-identity.js';
import { hashPassword, refuseCommonPassword } from '../credentials/password.js';
import { lockOwnerAndCaller, requireLiveSession } from '../locks.js';
import { endSessions } from '../session/end-sessions.js';
import { openSession, type SessionContext } from '../session/open-session.js';
import { InvalidCredentials, type Session } from '../session/session.js';
import { User } from '../user.js';
import type { VerifyOtpInput } from './otp.js';
import type { CodeContext } from './request-code.js';

/** What an identity is verified, and its account logged in, with. */
export type VerificationContext = CodeContext & SessionContext;

/** Logs in whoever is reached at a phone; registers them where nobody has proven it before. */
export async function verifyOtp(context: VerificationContext, input: VerifyOtpInput) {
  return loginWithCode(context, 'phone', input, async (tx, identifier) => {
    const [owner] = await lockOwnerAndCaller(tx, identifier);
    return owner ?? newUser(tx, identifier, input);
  });
}

/**
 * Logs in whoever is reached at an e-mail address. Where another account had only claimed it, that
 * account loses it and its sessions end; it is not handed over, since what its claimer put in, and
 * access tokens that live on for minutes, would be a trap. Who is logged in when proving an address
 * that nobody else has proven keeps their account, with this address.
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
 * Gives the caller's account a phone number that the caller has proven.
 *
 * @throws `CONFLICT` where it is another account's
 */
export async function addPhone(context: VerificationContext, input: VerifyOtpInput): Promise<User> {
  const { id, sessionId } = identityOf(context);
  refuseUnused(input);
  const user = await context.app.codes.use(input, 'phone', (identifier) =>
    inTransaction(context.em, async (tx) => {
      const [owner, caller] = await lockOwnerAndCaller(tx, identifier, id);
      await requireLiveSession(tx, sessionId);
      if (owner && owner !== caller) throw conflict('This phone number is another account’s.');
      if (!owner) notifyPreviousContact(context, caller as User, 'phone number');
      return Object.assign(caller as User, identifier);
    }),
  );
  if (!user) throw badInput({ 'input.code': wrongCode });
  return user;
}

/**
 * Tells whoever was reached until now that an account can be reached, and so logged in to, in a new
 * way: a stranger with a stolen token could have done it.
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
    .send({ to, subject: 'Your account', text })
    .catch((error: Error) => logger.warn({ reason: error.message }, 'a notice was not sent'));
}

const wrongCode = 'is not right, or not good any more: ask for another';

/** Uses the code, finds or makes the account, sets a new password if there is one, and logs in. */
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

/** One transaction; what another request made unique a moment before is there at the next attempt. */
async function inTransaction<T>(
  em: EntityManager,
  work: (tx: EntityManager) => Promise<T>,
): Promise<T> {
  try {
    return await em.fork().transactional(work);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw tryAgain('Somebody did the same at this moment; ask again.');
  }
}

function newUser(tx: EntityManager, identifier: Identifier, { name, role }: VerifyOtpInput): User {
  if (!name) throw badInput({ 'input.name': 'is needed, since this makes a new account' });
  const none = { email: null, phone: null, passwordHash: null };
  const user = tx.create(User, {
    ...none,
    ...identifier,
    id: newId(),
    name,
    role: role ?? 'CUSTOMER',
  });
  tx.persist(user);
  return user;
}

function refuseUnused(input: VerifyOtpInput): void {
  for (const name of ['name', 'role', 'newPassword'] as const) {
    if (input[name]) throw badInput({ [`input.${name}`]: 'is not for this: leave it out' });
  }
}
