import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type List, nodes, nodesOf } from './harness/connections.js';
import { logIn, openShop, registerPerson } from './harness/people.js';
import { statementsOfRequest } from './harness/request-statements.js';
import { claimsOf, sessionIdOf, sessionsOf, type Tokens } from './harness/sessions.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';

interface OpenSession {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  readonly isCurrent: boolean;
}
type Page = List<OpenSession> & {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
};

const fields = nodes('id createdAt lastUsedAt expiresAt isCurrent');
const dayMs = 24 * 3_600_000;

describe('the open sessions of a user', () => {
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
  const idOf = ({ accessToken }: Tokens) => sessionIdOf(accessToken);
  /** Logs a new user in, several times. */
  async function logInOften(times: number) {
    const { email, tokens } = await calls.register();
    const all = [tokens];
    while (all.length < times) all.push(await calls.login(email, 'secret-1'));
    return { email, userId: claimsOf(tokens.accessToken).sub as string, all };
  }
  async function pageOf({ accessToken }: Tokens, variables: object = {}): Promise<Page> {
    const query = `query ($first: Int! = 20, $after: String) {
      me { sessions(first: $first, after: $after) { ${fields} pageInfo { hasNextPage endCursor } } } }`;
    const { data, errors } = await system.graphql(query, variables, accessToken);
    if (errors) throw new Error(JSON.stringify(errors));
    return data.me.sessions;
  }
  const listOf = async (tokens: Tokens) => nodesOf(await pageOf(tokens));
  const isOpen = async (tokens: Tokens) =>
    (await calls.refresh(tokens.refreshToken)).__typename === 'Session';

  it('are listed with their times, newest use first, and show which one is asking', async () => {
    const { all } = await logInOften(2);
    const [first, second] = all as [Tokens, Tokens];
    const sessions = await listOf(first);
    expect(sessions.map(({ id, isCurrent }) => [id, isCurrent])).toEqual([
      [idOf(second), false],
      [idOf(first), true],
    ]);
    const asked = (await listOf(second)).filter(({ isCurrent }) => isCurrent);
    expect(asked.map(({ id }) => id)).toEqual([idOf(second)]);
    for (const { createdAt, lastUsedAt, expiresAt } of sessions) {
      expect(lastUsedAt).toBe(createdAt);
      expect(Math.abs(Date.now() - Date.parse(createdAt))).toBeLessThan(60_000);
      const lifetimeMs = Date.parse(expiresAt) - Date.parse(lastUsedAt);
      expect(Math.abs(lifetimeMs - 30 * dayMs)).toBeLessThan(60_000);
    }
  });

  it('are used by a refresh, which moves one to the beginning of the list', async () => {
    const { all } = await logInOften(2);
    const [first, second] = all as [Tokens, Tokens];
    const before = (await listOf(first)).find(({ id }) => id === idOf(first)) as OpenSession;
    const next = await calls.refresh(first.refreshToken);
    const sessions = await listOf(next);
    expect(sessions.map(({ id }) => id)).toEqual([idOf(first), idOf(second)]);
    const [after] = sessions as [OpenSession];
    expect(after).toMatchObject({ createdAt: before.createdAt, isCurrent: true });
    expect(Date.parse(after.lastUsedAt)).toBeGreaterThan(Date.parse(before.lastUsedAt));
    expect(Date.parse(after.expiresAt)).toBeGreaterThan(Date.parse(before.expiresAt));
  });

  it('do not include those that have ended or expired', async () => {
    const { all } = await logInOften(3);
    const [ended, expired, open] = all as [Tokens, Tokens, Tokens];
    await calls.logout(ended.accessToken);
    await database.query(`update login_session set expires_at = now() where id = $1`, [
      idOf(expired),
    ]);
    expect((await listOf(open)).map(({ id }) => id)).toEqual([idOf(open)]);
  });

  it('are read in pages, also of sessions that were used in the same millisecond', async () => {
    const { userId, all } = await logInOften(5);
    await database.query(
      `update login_session set updated_at = '2026-01-01T00:00:00.001Z' where user_id = $1 and id <> $2`,
      [userId, idOf(all[2] as Tokens)],
    );
    const [asking] = all as [Tokens];
    const whole = await listOf(asking);
    expect(whole.map(({ id }) => id).toSorted()).toEqual(all.map(idOf).toSorted());
    const found: OpenSession[] = [];
    let after: string | null = null;
    for (const length of [2, 2, 1]) {
      const page: Page = await pageOf(asking, { first: 2, after });
      expect(page.edges).toHaveLength(length);
      found.push(...nodesOf(page));
      expect(page.pageInfo.hasNextPage).toBe(found.length < all.length);
      after = page.pageInfo.endCursor;
    }
    expect(found).toEqual(whole);
    const places = [
      [],
      [1],
      [-1, idOf(asking)],
      [9e15, idOf(asking)],
      [0, 'x'],
      ['now', idOf(asking)],
    ];
    for (const place of places) {
      const cursor = Buffer.from(JSON.stringify([1, ...place])).toString('base64url');
      await expect(pageOf(asking, { after: cursor })).rejects.toThrow(
        'is not a cursor of this list',
      );
    }
    for (const first of [0, 101]) {
      await expect(pageOf(asking, { first })).rejects.toThrow('must be between 1 and 100');
    }
    const last = Buffer.from(JSON.stringify([1, 253_402_300_799_999, idOf(asking)]));
    expect(await pageOf(asking, { after: last.toString('base64url') })).toMatchObject({
      edges: { length: all.length },
    });
  });

  it('are visible to the user and to admins, and to nobody else, however the user is reached', async () => {
    const vendor = await registerPerson(system, 'VENDOR');
    const { shopId } = await openShop(system, vendor, [1]);
    const ofOwner = (token?: string) =>
      system.graphql(
        `query ($id: UUID!) { shop(id: $id) { owner { id sessions { ${fields} } } } }`,
        { id: shopId },
        token,
      );
    const { tokens: stranger } = await calls.register();
    for (const [token, code] of [
      [undefined, 'UNAUTHENTICATED'],
      [stranger.accessToken, 'FORBIDDEN'],
    ]) {
      const reply = await ofOwner(token);
      expect([codeOf(reply), JSON.stringify(reply.data)]).toEqual([
        code,
        expect.not.stringContaining(sessionIdOf(vendor.token)),
      ]);
    }
    const seenBy = async (token: string): Promise<OpenSession[]> =>
      nodesOf((await ofOwner(token)).data.shop.owner.sessions);
    const own = await seenBy(vendor.token);
    expect(own).toMatchObject([{ id: sessionIdOf(vendor.token), isCurrent: true }]);
    const admin = await logIn(system, 'ada');
    expect(await seenBy(admin.token)).toEqual(own.map((each) => ({ ...each, isCurrent: false })));
  });

  it('of many users are read in one statement', async () => {
    await logInOften(3);
    const admin = await logIn(system, 'ada');
    const ask = (first: number) => () =>
      system.graphql(
        `query ($first: Int!) { users(first: $first) { ${nodes(`id sessions { ${fields} }`)} } }`,
        { first },
        admin.token,
      );
    const one = await statementsOfRequest(ask(1));
    const many = await statementsOfRequest(ask(5));
    expect(many.reply.data.users.edges).toHaveLength(5);
    expect(many.statements).toEqual(one.statements);
    expect(many.statements.filter((text) => text.includes('login_session'))).toHaveLength(1);
  });

  describe('when one of them ends another', () => {
    it('leave only it: the refresh token of the other is refused', async () => {
      const { all } = await logInOften(3);
      const [here, there, third] = all as [Tokens, Tokens, Tokens];
      // A repeat changes nothing.
      for (let n = 0; n < 2; n++) {
        expect((await calls.end(here.accessToken, idOf(there))).data).toEqual({ endSession: true });
      }
      expect((await listOf(here)).map(({ id }) => id)).toEqual([idOf(third), idOf(here)]);
      expect(await isOpen(there)).toBe(false);
      expect([await isOpen(here), await isOpen(third)]).toEqual([true, true]);
    });

    it('it may be the one that asks, which is a logout', async () => {
      const { all } = await logInOften(2);
      const [here, there] = all as [Tokens, Tokens];
      expect((await calls.end(here.accessToken, idOf(here))).data).toEqual({ endSession: true });
      expect([await isOpen(here), await isOpen(there)]).toEqual([false, true]);
    });

    it('it cannot be one of another user: the answer is that of an unknown one, also for admins', async () => {
      const { all } = await logInOften(1);
      const [open] = all as [Tokens];
      const { tokens: stranger } = await calls.register();
      const rows = () => database.query('select * from login_session where id = $1', [idOf(open)]);
      const before = (await rows()).rows;
      expect(codeOf(await calls.end(undefined, idOf(open)))).toBe('UNAUTHENTICATED');
      const admin = await logIn(system, 'ada');
      for (const token of [stranger.accessToken, admin.token]) {
        for (const id of [idOf(open), randomUUID()]) {
          const { data, errors } = await calls.end(token, id);
          expect([data, errors]).toEqual([{ endSession: true }, undefined]);
        }
      }
      expect((await rows()).rows).toEqual(before);
      expect(await isOpen(open)).toBe(true);
    });
  });

  describe('whose own session has ended, while its access token is valid', () => {
    /** A user whose first session has ended, and two that were opened since. */
    async function afterLogout() {
      const { email, all } = await logInOften(1);
      const [ended] = all as [Tokens];
      await calls.logout(ended.accessToken);
      const open = [await calls.login(email, 'secret-1'), await calls.login(email, 'secret-1')];
      return { ended, open: open as [Tokens, Tokens] };
    }

    it('are not listed', async () => {
      const { ended, open } = await afterLogout();
      const { data, errors } = await system.graphql(
        `{ me { name sessions { ${fields} } } }`,
        {},
        ended.accessToken,
      );
      expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
      expect(JSON.stringify(data)).not.toContain(idOf(open[0]));
    });

    it('are not ended by endSession or logout', async () => {
      const { ended, open } = await afterLogout();
      const ids = [ended, ...open].map(idOf);
      const rows = () =>
        database.query('select * from login_session where id = any($1) order by id', [ids]);
      const before = (await rows()).rows;
      for (const id of ids) {
        expect((await calls.end(ended.accessToken, id)).data).toEqual({ endSession: true });
      }
      for (const everywhere of [false, true]) {
        const { data } = await calls.logout(ended.accessToken, everywhere);
        expect(data).toEqual({ logout: true });
      }
      expect((await rows()).rows).toEqual(before);
      expect([await isOpen(open[0]), await isOpen(open[1])]).toEqual([true, true]);
    });
  });
});
