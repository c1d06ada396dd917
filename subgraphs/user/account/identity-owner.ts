import type { EntityManager } from '@mikro-orm/postgresql';
import type { Identifier } from '../../shared/auth/identifier.js';
import { tryAgain } from '../../shared/errors.js';
import { whereIdentifier } from '../credentials/identifier.js';
import { endSessions, lockUsers } from '../session/end-sessions.js';
import { User } from '../user.js';

/** The account that has an identifier, and another; both are locked and then read. */
export async function lockOwnerAndCaller(
  tx: EntityManager,
  identifier: Identifier,
  callerId?: string,
) {
  const where = whereIdentifier(identifier);
  const before = await tx.findOne(User, where);
  await lockUsers(
    tx,
    [before?.id, callerId].filter((id) => id !== undefined),
  );
  const owner = await tx.findOne(User, where, { refresh: true });
  if (owner?.id !== before?.id) throw tryAgain('This account changes at this moment; ask again.');
  const caller = callerId ? await tx.findOne(User, { id: callerId }, { refresh: true }) : null;
  return [owner, caller] as const;
}

/** Takes an address from an account that only claimed it, and ends its sessions. */
export async function detachIdentity(tx: EntityManager, claimer: User): Promise<void> {
  await endSessions(tx, claimer.id);
  claimer.email = null;
  await tx.flush(); // before another row has the address
}
