import { LRUCache } from 'lru-cache';
import type { ChangedSessions, SessionChange } from '../../../subgraphs/contracts/session-ended.js';
import type { Identity } from '../../../subgraphs/shared/auth/tokens.js';

// Longer than access tokens are valid.
const rememberedMs = 60 * 60 * 1000;
const sessionsMax = 50_000;

/**
 * Sessions that ended, or whose user has another role: streams are not opened with access tokens of the former,
 * nor with those of the latter that state another role. A session that continues gets new ones.
 */
export class EndedSessions {
  readonly #changes = new LRUCache<string, SessionChange>({ max: sessionsMax, ttl: rememberedMs });

  /** Messages may arrive in another order than they were published. */
  add({ sessionIds, change }: ChangedSessions): void {
    for (const id of sessionIds) {
      if (replaces(change, this.#changes.get(id))) this.#changes.set(id, change);
    }
  }

  hasEnded({ identity }: { readonly identity: Identity | null }): boolean {
    const change = identity ? this.#changes.get(identity.sessionId) : undefined;
    return change?.kind === 'ended' || (change?.kind === 'role' && change.role !== identity?.role);
  }
}

function replaces(change: SessionChange, known: SessionChange | undefined): boolean {
  if (change.kind === 'ended' || !known) return true;
  return known.kind === 'role' && known.atMs <= change.atMs;
}
