import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { runAdmin } from '../ops/admin.js';
import { logIn, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { someoneWaits } from './harness/wait.js';

describe('an account', () => {
  let system: TestSystem;
  let database: pg.Client;
  let person: Person;
  let other: Person;
  beforeAll(async () => {
    system = await startSystem();
    database = new pg.Client({ connectionString: system.databases.user });
    await database.connect();
  });
  beforeEach(async () => {
    [person, other] = await Promise.all([registerPerson(system), registerPerson(system)]);
  });
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  const must = async (query: string, variables: object, { token }: Person = person) => {
    const { data, errors } = await system.graphql(query, variables, token);
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as Record<string, never>;
  };

  it('has a name and preferences, each of which can be changed alone', async () => {
    const fields = 'name preferences { newsletter theme }';
    const me = () => must(`{ me { ${fields} } }`, {});
    expect(await me()).toEqual({
      name: 'Somebody',
      preferences: { newsletter: true, theme: 'light' },
    });
    const change = (input: object) =>
      must(
        `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { ${fields} } }`,
        { input },
      );
    await change({ name: 'Nina' });
    const changed = await change({ preferences: { theme: 'dark' } });
    expect(changed).toEqual({ name: 'Nina', preferences: { newsletter: true, theme: 'dark' } });
    await expect(change({ preferences: { theme: 'x'.repeat(21) } })).rejects.toThrow(
      'input.preferences.theme',
    );
    for (const name of ['', '  ', 'a\r\nb', '\u001b[31m', 'x'.repeat(256)]) {
      await expect(change({ name })).rejects.toThrow('input.name');
    }
    expect(await me()).toEqual(changed);
  });

  it('gets a role from an admin, which its next token has', async () => {
    const admin = await logIn(system, 'ada');
    const { data } = await system.graphql(
      `mutation ($input: LoginInput!) { login(input: $input) { ... on Session { refreshToken } } }`,
      { input: { identifier: 'ben@example.com', password: 'holdfast-demo' } },
    );
    const ben = await logIn(system, 'ben');
    const setRole = (userId: string, as: Person) =>
      must(
        'mutation ($input: SetRoleInput!) { setRole(input: $input) { id role } }',
        { input: { userId, role: 'VENDOR' } },
        as,
      );
    await expect(setRole(ben.id, ben)).rejects.toThrow('FORBIDDEN');
    await expect(setRole(admin.id, admin)).rejects.toThrow('CONFLICT');
    await expect(setRole(randomUUID(), admin)).rejects.toThrow('NOT_FOUND');
    expect(await setRole(ben.id, admin)).toEqual({ id: ben.id, role: 'VENDOR' });
    const refreshed = await system.graphql(
      `mutation ($token: String!) { refreshSession(refreshToken: $token) {
         ... on Session { accessToken user { role } } } }`,
      { token: data.login.refreshToken },
    );
    const session = refreshed.data.refreshSession;
    expect(session.user.role).toBe('VENDOR');
    const payload = session.accessToken.split('.')[1];
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString()).role).toBe('VENDOR');
  });

  it('of a former admin cannot set roles, even with a token that still says ADMIN', async () => {
    const admin = await logIn(system, 'ada');
    const email = `${randomUUID()}@example.com`;
    await runAdmin(['create', '--email', email], system.databases.user);
    const { rows } = await database.query('select id from user_account where email = $1', [email]);
    const setRole = (userId: string, role: string, as: Person) =>
      must(
        'mutation ($input: SetRoleInput!) { setRole(input: $input) { role } }',
        { input: { userId, role } },
        as,
      );
    await setRole(person.id, 'ADMIN', admin);
    const former = await logInAgain(person.id);
    await setRole(former.id, 'CUSTOMER', admin);
    await expect(setRole(rows[0].id, 'CUSTOMER', former)).rejects.toThrow('FORBIDDEN');
    const gone = await logIn(system, 'ada');
    await must('mutation { logout }', {}, gone);
    await expect(setRole(other.id, 'ADMIN', gone)).rejects.toThrow('UNAUTHENTICATED');
  });

  it('does not log in with a role that is being changed at the same moment', async () => {
    await database.query(`update user_account set role = 'ADMIN' where id = $1`, [person.id]);
    await database.query('begin');
    await database.query(`update user_account set role = 'CUSTOMER' where id = $1`, [person.id]);
    const late = logInAgain(person.id).catch(() => null);
    await someoneWaits(database);
    await database.query('commit');
    expect(await late).toBeNull();
  });

  /** @throws when the login is refused */
  async function logInAgain(id: string): Promise<Person> {
    const { rows } = await database.query('select email from user_account where id = $1', [id]);
    const { data } = await system.graphql(
      `mutation ($input: LoginInput!) { login(input: $input) { ... on Session { accessToken } } }`,
      { input: { identifier: rows[0].email, password: 'secret-1' } },
    );
    if (!data.login.accessToken) throw new Error('no session');
    return { id, token: data.login.accessToken };
  }

  it('is found by an admin by the beginning of its name, its e-mail address or its phone, in pages', async () => {
    const admin = await logIn(system, 'ada');
    const find = async (variables: object) =>
      (await must(
        `query ($search: String, $first: Int, $after: String) {
           users(search: $search, first: $first, after: $after) {
             edges { node { name email } } pageInfo { hasNextPage endCursor } } }`,
        variables,
        admin,
      )) as unknown as {
        edges: Array<{ node: { name: string } }>;
        pageInfo: { endCursor: string; hasNextPage: boolean };
      };
    const names = async (search: string) =>
      (await find({ search })).edges.map(({ node }) => node.name);
    expect(await names('ANA c')).toEqual(['Ana Customer']);
    expect(await names('Ana@Example.com')).toEqual(['Ana Customer']);
    expect(await names('+1 202 555 0143')).toEqual(['Ana Customer']);
    expect(await names('%')).toEqual([]);
    expect(await names('V_')).toEqual([]);
    const first = await find({ first: 2 });
    const second = await find({ first: 2, after: first.pageInfo.endCursor });
    expect(first.edges).toHaveLength(2);
    expect(first.pageInfo.hasNextPage).toBe(true);
    expect(second.edges[0]).not.toEqual(first.edges[1]);
  });

  describe('of an admin, from the command line', () => {
    const create = (...args: string[]) => runAdmin(['create', ...args], system.databases.user);
    const roleOf = async (email: string) =>
      (await database.query('select role from user_account where email = $1', [email])).rows;

    it('is created with a password that is printed once', async () => {
      const output = await create('--email', 'first@example.com', '--name', 'First');
      const password = / Password: (\S+)$/.exec(output)?.[1];
      const { data } = await system.graphql(
        `mutation ($input: LoginInput!) {
           login(input: $input) { ... on Session { user { name role emailVerified } } } }`,
        { input: { identifier: 'first@example.com', password } },
      );
      expect(data.login.user).toEqual({ name: 'First', role: 'ADMIN', emailVerified: true });
    });

    it('is the account that has proven the address, and keeps its password', async () => {
      expect(await create('--email', 'ana@example.com')).toContain('is now an admin');
      expect(await roleOf('ana@example.com')).toEqual([{ role: 'ADMIN' }]);
      expect((await logIn(system, 'ana')).id).toBeDefined();
    });

    it('is not the account that only claimed the address', async () => {
      const email = `${randomUUID()}@example.com`;
      const input = { name: 'Claimer', email, password: 'secret-1' };
      const { data } = await system.graphql(
        `mutation ($input: RegisterInput!) { register(input: $input) { ... on Session { user { id } } } }`,
        { input },
      );
      await create('--email', email);
      const { rows } = await database.query('select id, role from user_account where email = $1', [
        email,
      ]);
      expect(rows).toEqual([
        { id: expect.not.stringContaining(data.register.user.id), role: 'ADMIN' },
      ]);
    });

    it('is not created from invalid arguments', async () => {
      await expect(create()).rejects.toThrow('admin create --email ADDRESS');
      await expect(create('--email', 'nonsense')).rejects.toThrow('must be an e-mail address');
      await expect(create('--mail', 'a@example.com')).rejects.toThrow('--mail');
      await expect(runAdmin(['delete'], system.databases.user)).rejects.toThrow('admin create');
    });
  });
});
