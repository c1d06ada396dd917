import type { SessionChange } from '../../../subgraphs/contracts/session-ended.js';
import type { Role } from '../../../subgraphs/shared/auth/tokens.js';
import { EndedSessions } from './ended-sessions.js';

const tokenOf = (sessionId: string, role: Role = 'CUSTOMER') => ({
  identity: { id: 'ana', role, sessionId },
});
const roleAt = (atMs: number, role: Role): SessionChange => ({ kind: 'role', role, atMs });

function sessionsAfter(...changes: SessionChange[]) {
  const sessions = new EndedSessions();
  for (const change of changes) sessions.add({ sessionIds: ['s'], change });
  return sessions;
}
const rolesAllowed = (sessions: EndedSessions) =>
  (['CUSTOMER', 'VENDOR', 'ADMIN'] as const).filter(
    (role) => !sessions.hasEnded(tokenOf('s', role)),
  );

describe('a session', () => {
  it('that ended opens no stream, whatever its tokens state', () => {
    const sessions = sessionsAfter({ kind: 'ended' });
    expect(rolesAllowed(sessions)).toEqual([]);
    expect(sessions.hasEnded(tokenOf('other'))).toBe(false);
    expect(sessions.hasEnded({ identity: null })).toBe(false);
  });

  it('whose user has another role opens streams with tokens of that role only', () => {
    expect(rolesAllowed(sessionsAfter(roleAt(5, 'VENDOR')))).toEqual(['VENDOR']);
  });

  it('has the role of the latest change, in whatever order the messages arrive', () => {
    const [first, second] = [roleAt(5, 'VENDOR'), roleAt(6, 'CUSTOMER')];
    expect(rolesAllowed(sessionsAfter(first, second))).toEqual(['CUSTOMER']);
    expect(rolesAllowed(sessionsAfter(second, first))).toEqual(['CUSTOMER']);
  });

  it('that ended does not continue because of a late message about its role', () => {
    expect(rolesAllowed(sessionsAfter({ kind: 'ended' }, roleAt(9, 'VENDOR')))).toEqual([]);
    expect(rolesAllowed(sessionsAfter(roleAt(9, 'VENDOR'), { kind: 'ended' }))).toEqual([]);
  });
});
