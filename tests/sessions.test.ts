import pg from 'pg';
import { sessionsOf, type Tokens } from './harness/sessions.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';
import { someoneWaits } from './harness/wait.js';

describe('a session', () => {
  let system: TestSystem;
  let database: pg.Client;
  let calls: ReturnType<typeof sessionsOf>;
  beforeAll(async () => {
    system = await startSystem();
    calls = sessionsOf(system);
    database = new pg.Client({ connectionString: system.databases.user });
    await database.connect();
  });
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  const codeOf = ({ errors }: GraphQLReply) => errors?.[0]?.extensions.code;

  it('ends at logout, alone or with all sessions of its user, but of no other user', async () => {
    const { email, tokens: here } = await calls.register();
    const there = await calls.login(email, 'secret-1');
    const { tokens: somebodyElse } = await calls.register();
    expect(codeOf(await calls.logout(undefined))).toBe('UNAUTHENTICATED');
    expect((await calls.logout(here.accessToken)).data).toEqual({ logout: true });
    expect((await calls.refresh(here.refreshToken)).__typename).toBe('InvalidCredentials');
    const next = await calls.refresh(there.refreshToken);
    expect(next.__typename).toBe('Session');
    const third = await calls.login(email, 'secret-1');
    await calls.logout(third.accessToken, true);
    for (const { refreshToken } of [next, third]) {
      expect((await calls.refresh(refreshToken)).__typename).toBe('InvalidCredentials');
    }
    expect((await calls.refresh(somebodyElse.refreshToken)).__typename).toBe('Session');
  });

  it('continues with new tokens when it changes the password, and the others end', async () => {
    const { email, tokens: here } = await calls.register();
    const there = await calls.login(email, 'secret-1');
    const wrong = await calls.changePassword(here.accessToken, 'secret-2', 'secret-3');
    expect(wrong.data.changePassword.__typename).toBe('InvalidCredentials');
    const common = await calls.changePassword(here.accessToken, 'secret-1', 'Password1');
    expect(common.errors?.[0]?.extensions.fields).toHaveProperty(['input.newPassword']);
    const { data } = await calls.changePassword(here.accessToken, 'secret-1', 'secret-3');
    const next = data.changePassword as Tokens;
    expect((await calls.refresh(there.refreshToken)).__typename).toBe('InvalidCredentials');
    expect((await calls.refresh(next.refreshToken)).__typename).toBe('Session');
    expect((await calls.login(email, 'secret-1')).__typename).toBe('InvalidCredentials');
    expect((await calls.login(email, 'secret-3')).__typename).toBe('Session');
  });

  it('is the only one left of several that change the password at once', async () => {
    const { email, tokens } = await calls.register();
    const sessions = [
      tokens,
      await calls.login(email, 'secret-1'),
      await calls.login(email, 'secret-1'),
    ];
    const replies = await Promise.all(
      sessions.map(({ accessToken }, n) =>
        calls.changePassword(accessToken, 'secret-1', `another-${n}`),
      ),
    );
    const changed = replies.filter(({ data }) => data?.changePassword.__typename === 'Session');
    expect(changed).toHaveLength(1);
    const refused = replies.filter((reply) => !changed.includes(reply));
    for (const reply of refused) {
      expect(codeOf(reply) ?? reply.data.changePassword.__typename).toMatch(
        /^(UNAUTHENTICATED|InvalidCredentials)$/,
      );
    }
    const { rows } = await database.query(
      `select 1 from login_session s join user_account u on u.id = s.user_id
       where u.email = $1 and s.ended_at is null`,
      [email],
    );
    expect(rows).toHaveLength(1);
  });

  it('changes the password once when it sends several changes at the same time', async () => {
    const { email, tokens } = await calls.register();
    const replies = await Promise.all(
      [1, 2, 3].map((n) => calls.changePassword(tokens.accessToken, 'secret-1', `another-${n}`)),
    );
    const names = replies.map(({ data }) => data.changePassword.__typename);
    expect(names.toSorted()).toEqual(['InvalidCredentials', 'InvalidCredentials', 'Session']);
    const kept = `another-${names.indexOf('Session') + 1}`;
    expect((await calls.login(email, kept)).__typename).toBe('Session');
  });

  it('is not opened with a password that is being changed at the same moment', async () => {
    const { email } = await calls.register();
    await database.query('begin');
    await database.query(`update user_account set password_hash = 'changed' where email = $1`, [
      email,
    ]);
    const late = calls.login(email, 'secret-1');
    await someoneWaits(database);
    await database.query('commit');
    expect((await late).__typename).toBe('InvalidCredentials');
  });

  it('is not opened with a very common password, and no account is registered', async () => {
    const { email, reply } = await calls.register('QWERTY123');
    expect(codeOf(reply)).toBe('BAD_USER_INPUT');
    expect(reply.errors?.[0]?.extensions.fields).toHaveProperty(['input.password']);
    const { rowCount } = await database.query('select 1 from user_account where email = $1', [
      email,
    ]);
    expect(rowCount).toBe(0);
  });
});
