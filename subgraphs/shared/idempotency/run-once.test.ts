import { createTestDatabases } from '../../../tests/harness/databases.js';
import { type CutPoint, startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { databaseSchema } from '../../shop/mikro-orm.config.js';
import { Shop } from '../../shop/shop/shop.js';
import { connect } from '../database/connect.js';
import { sql } from '../database/sql.js';
import { type Once, transact } from '../database/transact.js';
import { badInput, conflict, notFound, OutcomeUnknown } from '../errors.js';
import { Refusal, result } from '../graphql/refusal.js';
import { newId } from '../ids.js';
import { runOnce } from './run-once.js';

class Refused extends Refusal {
  at!: Date;
}

describe('a mutation with an idempotency key', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'shop'>>>;
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['shop']);
    orm = await open(databases.urls.shop);
  });
  afterAll(async () => {
    await orm.close();
    await databases.drop();
  });

  const open = (url: string) => connect({ name: 'shop', url, poolMax: 5, logger }, databaseSchema);
  const userId = newId();
  const contextOf = (from = orm, id = userId) => {
    const identity = { id, role: 'VENDOR' as const, sessionId: newId() };
    return { em: from.em.fork(), app: null, logger, caller: 'router' as const, identity };
  };
  const insertShop = (context: ReturnType<typeof contextOf>, name: string, once?: Once<Shop>) =>
    transact(
      context.em,
      async (tx) => {
        const fields = { id: newId(), name, slug: newId(), ownerId: userId, currencyCode: 'USD' };
        const shop = tx.create(Shop, fields);
        await tx.persist(shop).flush();
        return shop;
      },
      once,
    );
  const mutationOf = (name: string, idempotencyKey: string | null, operation = 'create') => {
    const input = { name, idempotencyKey };
    return { operation, input, results: [Shop] };
  };
  const create = (key: string | null, name: string, context = contextOf(), operation = 'create') =>
    runOnce(context, mutationOf(name, key, operation), (once) => insertShop(context, name, once));
  const shopsNamed = async (name: string) =>
    (await sql(orm.em, 'select id from shop where name = $1', [name])).length;

  it('happens once for each user, operation and key', async () => {
    const name = newId();
    const first = await create('key', name);
    expect(await create('key', name)).toMatchObject({ id: first.id, name });
    expect(await shopsNamed(name)).toBe(1);
    await create(null, name);
    await create('another', name);
    await create('key', name, contextOf(orm, newId()));
    await create('key', name, contextOf(), 'create another');
    expect(await shopsNamed(name)).toBe(5);
  });

  it('happens once when it is sent many times at once, and all get the same answer', async () => {
    const name = newId();
    const shops = await Promise.all(Array.from({ length: 40 }, () => create(name, name)));
    expect(new Set(shops.map(({ id }) => id)).size).toBe(1);
    expect(await shopsNamed(name)).toBe(1);
  });

  it('is refused under the key of another request', async () => {
    const key = newId();
    await create(key, 'one');
    await expect(create(key, 'two')).rejects.toMatchObject({
      extensions: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
  });

  it('is not answered with what a user may no longer see, when the role has changed', async () => {
    const [key, name] = [newId(), newId()];
    await create(key, name);
    const context = contextOf();
    Object.assign(context.identity, { role: 'CUSTOMER' });
    await expect(create(key, name, context)).rejects.toMatchObject({
      extensions: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
  });

  it.each([0, 256])('is refused with a key of %i characters', async (length) => {
    await expect(create('x'.repeat(length), 'any')).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', fields: { idempotencyKey: expect.any(String) } },
    });
  });

  it('returns a shop as it is now, and NOT_FOUND for one that was deleted', async () => {
    const [key, name] = [newId(), newId()];
    const { id } = await create(key, name);
    await sql(orm.em, 'update shop set slug = id::text where id = $1', [id]);
    expect(await create(key, name)).toMatchObject({ id, slug: id });
    await sql(orm.em, 'delete from shop where id = $1', [id]);
    await expect(create(key, name)).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  });

  it.each(['in its transaction', 'before any transaction'])(
    'returns a refusal that was decided %s as it was, with dates as texts',
    async (where) => {
      const context = contextOf();
      const key = newId();
      let runs = 0;
      const decide = async () => {
        runs += 1;
        return result(Refused, { message: `run ${runs}`, at: new Date() });
      };
      const refuse = () =>
        runOnce(
          context,
          { operation: 'refuse', input: { idempotencyKey: key }, results: [Refused] },
          (once) => (where.startsWith('in') ? transact(context.em, decide, once) : decide()),
        );
      const first = await refuse();
      const again = await refuse();
      expect(again).toBeInstanceOf(Refused);
      expect({ ...again, at: new Date(again.at) }).toEqual({ ...first });
      expect(runs).toBe(1);
    },
  );

  it.each([
    ['BAD_USER_INPUT', badInput({ name: 'is taken' })],
    ['CONFLICT', conflict('It is taken.')],
    ['a fault', new Error('a fault')],
  ])('runs again after %s, of which nothing is left', async (_what, error) => {
    const [key, name] = [newId(), newId()];
    const context = contextOf();
    const failing = runOnce(
      context,
      mutationOf(name, key),
      (once) =>
        transact(
          context.em,
          async (tx) => {
            await sql(tx, `insert into retired_sku (sku) values ($1)`, [name]);
            throw error;
          },
          once as Once<never>,
        ) as Promise<Shop>,
    );
    await expect(failing).rejects.toBe(error);
    expect(await sql(orm.em, 'select 1 from retired_sku where sku = $1', [name])).toEqual([]);
    expect(await create(key, name)).toMatchObject({ name });
  });

  it('gets the answer of the first request, also if that makes this one fail before its transaction', async () => {
    const [key, name] = [newId(), newId()];
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const { promise: isInserted, resolve: inserted } = Promise.withResolvers<void>();
    const context = contextOf();
    const mutation = mutationOf(name, key);
    const first = runOnce(context, mutation, (once) =>
      transact(
        context.em,
        async (tx) => {
          const fields = { id: newId(), name, slug: newId(), ownerId: userId, currencyCode: 'USD' };
          const shop = tx.create(Shop, fields);
          await tx.persist(shop).flush();
          inserted();
          await mayCommit;
          return shop;
        },
        once,
      ),
    );
    await isInserted;
    const second = runOnce(contextOf(), mutation, async () => {
      setTimeout(commit, 200);
      throw notFound('code', 'that the first request has used');
    });
    expect((await second).id).toBe((await first).id);
  });

  const points: CutPoint[] = [
    'before it reaches PostgreSQL',
    'before PostgreSQL commits, which it does later',
    'after PostgreSQL has committed',
    'never, but without a response',
  ];
  it.each(points)(
    'happens once when the connection is cut at COMMIT %s; without a key its outcome is unknown',
    async (point) => {
      const proxy = await startPostgresProxy(databases.urls.shop);
      const cut = await open(proxy.url);
      const [keyed, plain] = [newId(), newId()];
      proxy.cutNextCommit(point);
      const shop = await create(keyed, keyed, contextOf(cut));
      expect(proxy.cuts()).toBe(1);
      expect(await create(keyed, keyed)).toMatchObject({ id: shop.id });
      expect(await shopsNamed(keyed)).toBe(1);
      proxy.cutNextCommit(point);
      await expect(create(null, plain, contextOf(cut))).rejects.toThrow(OutcomeUnknown);
      await cut.close();
      await proxy.stop();
    },
  );
});
