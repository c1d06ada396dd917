import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { newId } from '../../shared/ids.js';
import { fold } from '../../shared/text/fold.js';
import { lockOwnerAndCaller } from '../locks.js';
import { closeStreams, endSessions } from '../session/end-sessions.js';
import { User } from '../user.js';
import { detachIdentity } from './detach-identity.js';

export interface NewAdmin {
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
  /** whether an existing account keeps its password */
  readonly keepsPassword: boolean;
}

/**
 * Creates an admin on the operator's authority: the e-mail address counts as proven. An account that has
 * proven it becomes an admin; one that only claimed it loses it.
 */
export async function createAdmin(
  em: EntityManager,
  { email, name, passwordHash, keepsPassword }: NewAdmin,
): Promise<'created' | 'promoted'> {
  return transact(em, async (tx) => {
    const [owner] = await lockOwnerAndCaller(tx, { email });
    if (owner?.emailVerified) {
      if (keepsPassword && owner.role !== 'ADMIN') await closeStreams(tx, owner.id, 'ADMIN');
      owner.role = 'ADMIN';
      if (!keepsPassword) {
        owner.passwordHash = passwordHash;
        await endSessions(tx, owner.id);
      }
      return 'promoted';
    }
    if (owner) await detachIdentity(tx, owner);
    const named = { id: newId(), name, nameKey: fold(name) };
    const admin = { ...named, email, phone: null, passwordHash, role: 'ADMIN' as const };
    tx.persist(tx.create(User, { ...admin, emailVerified: true }));
    return 'created';
  });
}
