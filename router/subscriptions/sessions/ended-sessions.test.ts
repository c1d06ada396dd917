import { jest } from '@jest/globals';
import { EndedSessions } from './ended-sessions.js';

const client = (sessionId: string, issuedAtMs: number) => ({
  identity: { id: 'ana', role: 'CUSTOMER', sessionId } as const,
  issuedAtMs,
});

describe('a session that ended', () => {
  afterEach(() => jest.useRealTimers());

  it('opens no stream with a token from before, but with one from the same second or later', () => {
    jest.useFakeTimers({ now: 1_000_700 });
    const sessions = new EndedSessions();
    sessions.add(['s']);
    const issuedAt = [999_000, 1_000_000, 1_001_000].map((ms) =>
      sessions.hasEnded(client('s', ms)),
    );
    expect(issuedAt).toEqual([true, false, false]);
    expect(sessions.hasEnded(client('other', 999_000))).toBe(false);
    expect(sessions.hasEnded({ identity: null, issuedAtMs: 0 })).toBe(false);
  });
});
