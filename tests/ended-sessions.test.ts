import { jest } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { runAdmin } from '../ops/admin.js';
import {
  type ChangedSessions,
  parseSessionsMessage,
  sessionEndedChannel,
  sessionsMessage,
} from '../subgraphs/contracts/session-ended.js';
import { logIn } from './harness/people.js';
import { claimsOf, sessionIdOf, sessionsOf, type Tokens } from './harness/sessions.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('ended sessions', () => {
  let system: TestSystem;
  let database: pg.Client;
  let subscriber: Redis;
  let calls: ReturnType<typeof sessionsOf>;
  let messages: ChangedSessions[] = [];
  beforeAll(async () => {
    system = await startSystem();
    calls = sessionsOf(system);
    database = new pg.Client({ connectionString: system.databases.user });
    await database.connect();
    subscriber = new Redis(system.redis.url);
    await subscriber.subscribe(sessionEndedChannel);
    subscriber.on('message', (_, message) => {
      const { sessionIds, change } = parseSessionsMessage(message) as ChangedSessions;
      messages.push({ sessionIds: [...sessionIds].sort(), change });
    });
  });
  beforeEach(() => {
    messages = [];
  });
  afterAll(async () => {
    subscriber.disconnect();
    await database.end();
    await system.stop();
  });

  const sessionOf = ({ accessToken }: Tokens) => sessionIdOf(accessToken);
  const published = (count: number) =>
    eventually(
      async () => messages,
      ({ length }) => length >= count,
    );
  const ended = (...tokens: Tokens[]): ChangedSessions => {
    return { sessionIds: tokens.map(sessionOf).sort(), change: { kind: 'ended' } };
  };

  it('are published once, in one message for each transaction', async () => {
    const { email, tokens: first } = await calls.register();
    const [second, third] = [
      await calls.login(email, 'secret-1'),
      await calls.login(email, 'secret-1'),
    ];
    await calls.logout(first.accessToken);
    expect(await published(1)).toEqual([ended(first)]);
    await calls.logout(second.accessToken, true);
    expect(await published(2)).toEqual([ended(first), ended(second, third)]);
    // A session that had ended before is not published again.
    await calls.logout(third.accessToken, true);
    const { tokens: last } = await calls.register();
    await calls.logout(last.accessToken);
    expect((await published(3))[2]).toEqual(ended(last));
  });

  it('are published by endSession as by logout, and only if the session is of the user', async () => {
    const { email, tokens: here } = await calls.register();
    const there = await calls.login(email, 'secret-1');
    const { tokens: stranger } = await calls.register();
    await calls.end(stranger.accessToken, sessionOf(there));
    for (let n = 0; n < 2; n++) await calls.end(here.accessToken, sessionOf(there));
    await calls.logout(here.accessToken);
    expect(await published(2)).toEqual([ended(there), ended(here)]);
  });

  it('by a changed password are those of the other devices', async () => {
    const { email, tokens: here } = await calls.register();
    const there = await calls.login(email, 'secret-1');
    await calls.changePassword(here.accessToken, 'wrong-password', 'secret-2');
    await calls.changePassword(here.accessToken, 'secret-1', 'secret-2');
    expect(await published(1)).toEqual([ended(there)]);
  });

  it('include one whose refresh token was used by two', async () => {
    const { tokens } = await calls.register();
    await calls.refresh(tokens.refreshToken);
    await database.query("update refresh_token set used_at = used_at - interval '1 minute'");
    expect((await calls.refresh(tokens.refreshToken)).__typename).toBe('InvalidCredentials');
    expect(await published(1)).toEqual([ended(tokens)]);
  });

  it('include those of a user whose role has changed, although they continue', async () => {
    const admin = await logIn(system, 'ada');
    const { email, tokens } = await calls.register();
    const other = await calls.login(email, 'secret-1');
    const setRole = (role: string) =>
      system.graphql(
        'mutation ($input: SetRoleInput!) { setRole(input: $input) { role } }',
        { input: { userId: claimsOf(tokens.accessToken).sub, role } },
        admin.token,
      );
    await setRole('CUSTOMER'); // as before
    await setRole('VENDOR');
    await setRole('ADMIN');
    const { sessionIds } = ended(tokens, other);
    expect(await published(2)).toEqual(
      ['VENDOR', 'ADMIN'].map((role) => {
        return { sessionIds, change: { kind: 'role', role, atMs: expect.any(Number) } };
      }),
    );
    const [first, second] = messages.map(({ change }) =>
      change.kind === 'role' ? change.atMs : 0,
    );
    expect(second).toBeGreaterThan(first as number);
    const { rows } = await database.query('select extract(epoch from now()) * 1000 as now');
    expect(Math.abs(Number(rows[0].now) - (second as number))).toBeLessThan(60_000);
    expect((await calls.refresh(tokens.refreshToken)).__typename).toBe('Session');
  });

  it('include those that the command line ends, and those of whom it promotes', async () => {
    const create = (email: string, redisUrl: string) =>
      runAdmin(['create', '--email', email], system.databases.user, redisUrl);
    const [claimer, owner] = [await calls.register(), await calls.register()];
    await database.query('update user_account set email_verified = true where email = $1', [
      owner.email,
    ]);
    await create(claimer.email, system.redis.url);
    expect(await published(1)).toEqual([ended(claimer.tokens)]);
    for (let n = 0; n < 2; n++) await create(owner.email, system.redis.url);
    const { sessionIds } = ended(owner.tokens);
    const change = { kind: 'role', role: 'ADMIN', atMs: expect.any(Number) };
    const { tokens: last } = await calls.register();
    await calls.logout(last.accessToken);
    expect((await published(3)).slice(1)).toEqual([{ sessionIds, change }, ended(last)]);
  });

  it('are ended by the command line while Redis is away, too', async () => {
    const log = jest.spyOn(console, 'error').mockReturnValue();
    const { email, tokens } = await calls.register();
    await runAdmin(['create', '--email', email], system.databases.user, 'redis://127.0.0.1:1');
    expect(log).toHaveBeenCalledWith(expect.stringContaining('Redis did not respond'));
    log.mockRestore();
    expect((await calls.refresh(tokens.refreshToken)).__typename).toBe('InvalidCredentials');
  });
});

describe('a message about sessions', () => {
  const id = '01234567-89ab-7def-8123-456789abcdef';
  const change = { kind: 'ended' } as const;

  it('is ignored when it is malformed', () => {
    const changed = { sessionIds: [id, id], change };
    expect(parseSessionsMessage(sessionsMessage(changed))).toEqual(changed);
    const malformed = [
      ...['', 'x', id, 'null', '[]', '{}'],
      ...[[], ['x'], [`${id}\n`], [null], Array(1001).fill(id)].map((sessionIds) =>
        JSON.stringify({ sessionIds, change }),
      ),
      ...[null, {}, { kind: 'x' }, { kind: 'role', role: 'X', atMs: 1 }, { kind: 'role' }].map(
        (other) => JSON.stringify({ sessionIds: [id], change: other }),
      ),
    ];
    for (const message of malformed) expect(parseSessionsMessage(message)).toBe(null);
  });
});
