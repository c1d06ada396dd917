import type { EntityManager } from '@mikro-orm/postgresql';
import { endSessions } from '../session/end-sessions.js';
import type { User } from '../user.js';

/** Removes an e-mail address from an account that only claimed it, and ends the account's sessions. */
export async function detachIdentity(tx: EntityManager, claimer: User): Promise<void> {
  await endSessions(tx, claimer.id);
  claimer.email = null;
  await tx.flush(); // before another row has the address
}
