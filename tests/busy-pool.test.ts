import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Person, registerPerson } from './harness/people.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const poolMax = 4;
// What the other connection is for: mutations.
const readsMax = 3;

describe('a subgraph whose connections are all in use', () => {
  let system: TestSystem;
  let vendor: Person;
  let locker: pg.Client;
  let observer: pg.Client;
  beforeAll(async () => {
    system = await startSystem({ DATABASE_POOL_MAX: `${poolMax}` });
    vendor = await registerPerson(system, 'VENDOR');
    [locker, observer] = [1, 2].map(
      () => new pg.Client({ connectionString: system.databases.shop }),
    ) as [pg.Client, pg.Client];
    await Promise.all([locker.connect(), observer.connect()]);
  });
  afterAll(async () => {
    await Promise.all([locker.end(), observer.end()]);
    await system.expectInvariants();
    await system.stop();
  });

  const blocked = async () => {
    const { rows } = await observer.query(
      `select from pg_stat_activity where datname = current_database()
         and application_name = 'shop' and wait_event_type = 'Lock'`,
    );
    return rows.length;
  };
  async function whileLocked<T>(table: string, work: () => Promise<T>): Promise<T> {
    await locker.query('begin');
    await locker.query(`lock table ${table} in access exclusive mode`);
    return work().finally(() => locker.query('rollback'));
  }
  const createShop = (slug: string) =>
    system.graphql(
      'mutation ($input: CreateShopInput!) { createShop(input: $input) { id } }',
      { input: { name: slug, slug, currencyCode: 'USD' } },
      vendor.token,
    );
  const codesOf = ({ errors = [] }: GraphQLReply) =>
    errors.map(({ extensions }) => extensions.code);

  it('refuses mutations that get no connection in time with TRY_AGAIN, and does nothing of them', async () => {
    const prefix = `busy-${randomUUID().slice(0, 8)}`;
    const replies: Promise<GraphQLReply>[] = [];
    const refused = await whileLocked('shop', async () => {
      for (let n = 0; n < poolMax; n++) replies.push(createShop(`${prefix}-${n}`));
      await eventually(blocked, (count) => count === poolMax);
      return Promise.all([8, 9].map((n) => createShop(`${prefix}-${n}`)));
    });
    expect(refused.map(codesOf)).toEqual([['TRY_AGAIN'], ['TRY_AGAIN']]);
    const made = await Promise.all(replies);
    const { rows } = await observer.query('select slug from shop where slug like $1', [
      `${prefix}-%`,
    ]);
    const successes = made.filter((reply) => codesOf(reply).length === 0);
    expect(rows).toHaveLength(successes.length);
    expect(rows.map(({ slug }) => slug)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/-[89]$/)]),
    );
    expect((await createShop(`${prefix}-8`)).errors).toBeUndefined();
  });

  it('has one for mutations while slow queries use all of theirs', async () => {
    const query = (n: number) => `{ offer(id: "${randomUUID()}") { a${n}: id } }`;
    const replies: Promise<GraphQLReply>[] = [];
    await whileLocked('offer', async () => {
      for (let n = 0; n < 4 * poolMax; n++) replies.push(system.graphql(query(n)));
      await eventually(blocked, (count) => count === readsMax);
      expect(codesOf(await Promise.race(replies))).toEqual(['TRY_AGAIN']);
      const slug = `beside-${randomUUID().slice(0, 8)}`;
      expect((await createShop(slug)).errors).toBeUndefined();
      expect(await blocked()).toBeLessThanOrEqual(readsMax);
    });
    await Promise.all(replies);
  });
});
