import { Redis } from 'ioredis';
import pg from 'pg';
import { parseSessionEnded, sessionEndedChannel } from '../subgraphs/contracts/session-ended.js';
import { logIn } from './harness/people.js';
import { sessionsOf, type Tokens } from './harness/sessions.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('ended sessions', () => {
  let system: TestSystem;
  let database: pg.Client;
  let subscriber: Redis;
  let calls: ReturnType<typeof sessionsOf>;
  let messages: string[][] = [];
  beforeAll(async () => {
    system = await startSystem();
    calls = sessionsOf(system);
    database = new pg.Client({ connectionString: system.databases.user });
    await database.connect();
    subscriber = new Redis(system.redis.url);
    await subscriber.subscribe(sessionEndedChannel);
    subscriber.on('message', (_, message) => messages.push([...parseSessionEnded(message)].sort()));
  });
  beforeEach(() => {
    messages = [];
  });
  afterAll(async () => {
    subscriber.disconnect();
    await database.end();
    await system.stop();
  });

  /** the claims of an access token */
  const claimsOf = ({ accessToken }: Tokens) =>
    JSON.parse(Buffer.from(accessToken.split('.')[1] as string, 'base64url').toString());
  const sessionOf = (tokens: Tokens): string => claimsOf(tokens).sid;
  const published = (count: number) =>
    eventually(
      async () => messages,
      ({ length }) => length >= count,
    );
  const sorted = (...tokens: Tokens[]) => tokens.map(sessionOf).sort();

  it('are published once, in one message for each transaction', async () => {
    const { email, tokens: first } = await calls.register();
    const [second, third] = [
      await calls.login(email, 'secret-1'),
      await calls.login(email, 'secret-1'),
    ];
    await calls.logout(first.accessToken);
    expect(await published(1)).toEqual([sorted(first)]);
    await calls.logout(second.accessToken, true);
    expect(await published(2)).toEqual([sorted(first), sorted(second, third)]);
    // A session that had ended before is not published again.
    await calls.logout(third.accessToken, true);
    const { tokens: last } = await calls.register();
    await calls.logout(last.accessToken);
    expect((await published(3))[2]).toEqual(sorted(last));
  });

  it('by a changed password are those of the other devices', async () => {
    const { email, tokens: here } = await calls.register();
    const there = await calls.login(email, 'secret-1');
    await calls.changePassword(here.accessToken, 'wrong-password', 'secret-2');
    await calls.changePassword(here.accessToken, 'secret-1', 'secret-2');
    expect(await published(1)).toEqual([sorted(there)]);
  });

  it('include one whose refresh token was used by two', async () => {
    const { tokens } = await calls.register();
    await calls.refresh(tokens.refreshToken);
    await database.query("update refresh_token set used_at = used_at - interval '1 minute'");
    expect((await calls.refresh(tokens.refreshToken)).__typename).toBe('InvalidCredentials');
    expect(await published(1)).toEqual([sorted(tokens)]);
  });

  it('include those of a user whose role has changed, although they continue', async () => {
    const admin = await logIn(system, 'ada');
    const { email, tokens } = await calls.register();
    const other = await calls.login(email, 'secret-1');
    const setRole = (role: string) =>
      system.graphql(
        'mutation ($input: SetRoleInput!) { setRole(input: $input) { role } }',
        { input: { userId: claimsOf(tokens).sub, role } },
        admin.token,
      );
    await setRole('CUSTOMER'); // as before
    await setRole('VENDOR');
    expect(await published(1)).toEqual([sorted(tokens, other)]);
    expect((await calls.refresh(tokens.refreshToken)).__typename).toBe('Session');
  });
});

describe('a message about ended sessions', () => {
  const id = '01234567-89ab-7def-8123-456789abcdef';

  it('is ignored when it is malformed', () => {
    expect(parseSessionEnded(`${id},${id}`)).toEqual([id, id]);
    for (const message of ['', 'x', `${id},`, `${id},x`, '[]', `${id}\n`]) {
      expect(parseSessionEnded(message)).toEqual([]);
    }
  });
});
