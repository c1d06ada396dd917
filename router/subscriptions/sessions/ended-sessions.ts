import { LRUCache } from 'lru-cache';
import type { Identity } from '../../../subgraphs/shared/auth/tokens.js';

// Longer than access tokens are valid.
const rememberedMs = 60 * 60 * 1000;
const sessionsMax = 50_000;

interface TokenOfClient {
  readonly identity: Identity | null;
  /** Unix time in milliseconds, to the second */
  readonly issuedAtMs: number;
}

/**
 * Sessions that ended, or whose user has another role: streams are not opened with access tokens that were
 * issued before. A session that continues gets new ones.
 */
export class EndedSessions {
  readonly #endedAtMs = new LRUCache<string, number>({ max: sessionsMax, ttl: rememberedMs });

  add(sessionIds: readonly string[]): void {
    // The time of a token has no milliseconds.
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    for (const id of sessionIds) this.#endedAtMs.set(id, nowMs);
  }

  hasEnded({ identity, issuedAtMs }: TokenOfClient): boolean {
    const endedAtMs = identity ? this.#endedAtMs.get(identity.sessionId) : undefined;
    return endedAtMs !== undefined && issuedAtMs < endedAtMs;
  }
}
