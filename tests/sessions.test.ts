import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';
import { someoneWaits } from './harness/wait.js';

const sessionFields = `__typename ... on Session { accessToken refreshToken user { id email } }
  ... on Refusal { message }`;

describe('a session', () => {
  let system: TestSystem;
  let database: pg.Client;
  beforeAll(async () => {
    system = await startSystem();
    database = new pg.Client({ connectionString: system.databases.user });
    await database.connect();
  });
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  interface Tokens {
    readonly __typename: string;
    readonly accessToken: string;
    readonly refreshToken: string;
  }
  const register = async (password = 'secret-1') => {
    const email = `${randomUUID()}@example.com`;
    const input = { name: 'Somebody', email, password };
    const reply = await system.graphql(
      `mutation ($input: RegisterInput!) { register(input: $input) { ${sessionFields} } }`,
      { input },
    );
    return { email, reply, tokens: reply.data?.register as Tokens };
  };
  const login = async (identifier: string, password: string): Promise<Tokens> => {
    const { data } = await system.graphql(
      `mutation ($input: LoginInput!) { login(input: $input) { ${sessionFields} } }`,
      { input: { identifier, password } },
    );
    return data.login;
  };
  const refresh = async (refreshToken: string): Promise<Tokens> => {
    const { data } = await system.graphql(
      `mutation ($token: String!) { refreshSession(refreshToken: $token) { ${sessionFields} } }`,
      { token: refreshToken },
    );
    return data.refreshSession;
  };
  const logout = (token: string | undefined, everywhere = false) =>
    system.graphql(
      'mutation ($everywhere: Boolean) { logout(everywhere: $everywhere) }',
      { everywhere },
      token,
    );
  const change = (token: string, currentPassword: string, newPassword: string) =>
    system.graphql(
      `mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { ${sessionFields} } }`,
      { input: { currentPassword, newPassword } },
      token,
    );
  const codeOf = ({ errors }: GraphQLReply) => errors?.[0]?.extensions.code;

  it('continues with the next refresh token, and ends when a used one is sent again', async () => {
    const { tokens: first } = await register();
    const second = await refresh(first.refreshToken);
    expect(second.__typename).toBe('Session');
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const { data } = await system.graphql('{ me { id } }', {}, second.accessToken);
    expect(data.me.id).toEqual(expect.any(String));
    const third = await refresh(second.refreshToken);
    expect(third.__typename).toBe('Session');
    expect((await refresh(first.refreshToken)).__typename).toBe('InvalidCredentials');
    expect((await refresh(third.refreshToken)).__typename).toBe('InvalidCredentials');
  });

  it('issues one successor at most for a token that is sent twenty times at once', async () => {
    const { tokens } = await register();
    const replays = await Promise.all(
      Array.from({ length: 20 }, () => refresh(tokens.refreshToken)),
    );
    const won = replays.filter(({ __typename }) => __typename === 'Session');
    expect(won).toHaveLength(1);
    expect((await refresh(won[0]?.refreshToken as string)).__typename).toBe('InvalidCredentials');
  });

  it('stores refresh tokens as hashes only, and refuses expired and invented ones', async () => {
    const { tokens } = await register();
    const { rows } = await database.query(
      'select t.*, s.* from refresh_token t join login_session s on s.id = t.session_id',
    );
    expect(JSON.stringify(rows)).not.toContain(tokens.refreshToken);
    await database.query(`update refresh_token set expires_at = now() - interval '1 s'
      where used_at is null`);
    expect((await refresh(tokens.refreshToken)).__typename).toBe('InvalidCredentials');
    for (const token of ['', 'x', 'x'.repeat(5000), tokens.accessToken]) {
      expect((await refresh(token)).__typename).toBe('InvalidCredentials');
    }
  });

  it('ends at logout, alone or with all sessions of its user, but of no other user', async () => {
    const { email, tokens: here } = await register();
    const there = await login(email, 'secret-1');
    const { tokens: somebodyElse } = await register();
    expect(codeOf(await logout(undefined))).toBe('UNAUTHENTICATED');
    expect((await logout(here.accessToken)).data).toEqual({ logout: true });
    expect((await refresh(here.refreshToken)).__typename).toBe('InvalidCredentials');
    const next = await refresh(there.refreshToken);
    expect(next.__typename).toBe('Session');
    const third = await login(email, 'secret-1');
    await logout(third.accessToken, true);
    for (const { refreshToken } of [next, third]) {
      expect((await refresh(refreshToken)).__typename).toBe('InvalidCredentials');
    }
    expect((await refresh(somebodyElse.refreshToken)).__typename).toBe('Session');
  });

  it('continues with new tokens when it changes the password, and the others end', async () => {
    const { email, tokens: here } = await register();
    const there = await login(email, 'secret-1');
    const wrong = await change(here.accessToken, 'secret-2', 'secret-3');
    expect(wrong.data.changePassword.__typename).toBe('InvalidCredentials');
    const common = await change(here.accessToken, 'secret-1', 'Password1');
    expect(common.errors?.[0]?.extensions.fields).toHaveProperty(['input.newPassword']);
    const { data } = await change(here.accessToken, 'secret-1', 'secret-3');
    const next = data.changePassword as Tokens;
    expect((await refresh(there.refreshToken)).__typename).toBe('InvalidCredentials');
    expect((await refresh(next.refreshToken)).__typename).toBe('Session');
    expect((await login(email, 'secret-1')).__typename).toBe('InvalidCredentials');
    expect((await login(email, 'secret-3')).__typename).toBe('Session');
  });

  it('is the only one left of several that change the password at once', async () => {
    const { email, tokens } = await register();
    const sessions = [tokens, await login(email, 'secret-1'), await login(email, 'secret-1')];
    const replies = await Promise.all(
      sessions.map(({ accessToken }, n) => change(accessToken, 'secret-1', `another-${n}`)),
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
    const { email, tokens } = await register();
    const replies = await Promise.all(
      [1, 2, 3].map((n) => change(tokens.accessToken, 'secret-1', `another-${n}`)),
    );
    const names = replies.map(({ data }) => data.changePassword.__typename);
    expect(names.toSorted()).toEqual(['InvalidCredentials', 'InvalidCredentials', 'Session']);
    const kept = `another-${names.indexOf('Session') + 1}`;
    expect((await login(email, kept)).__typename).toBe('Session');
  });

  it('is not opened with a password that is being changed at the same moment', async () => {
    const { email } = await register();
    await database.query('begin');
    await database.query(`update user_account set password_hash = 'changed' where email = $1`, [
      email,
    ]);
    const late = login(email, 'secret-1');
    await someoneWaits(database);
    await database.query('commit');
    expect((await late).__typename).toBe('InvalidCredentials');
  });

  it('is not opened with a very common password, and no account is registered', async () => {
    const { email, reply } = await register('QWERTY123');
    expect(codeOf(reply)).toBe('BAD_USER_INPUT');
    expect(reply.errors?.[0]?.extensions.fields).toHaveProperty(['input.password']);
    const { rowCount } = await database.query('select 1 from user_account where email = $1', [
      email,
    ]);
    expect(rowCount).toBe(0);
  });
});
