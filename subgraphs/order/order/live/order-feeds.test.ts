import { setTimeout as sleep } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import { createTestDatabases, startTestRedis } from '../../../../tests/harness/databases.js';
import { rowsRead } from '../../../../tests/harness/rows-read.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { connect, disconnect } from '../../../shared/database/connect.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import { createLogger } from '../../../shared/observability/logger.js';
import { closeRedis, createRedis } from '../../../shared/runtime/redis.js';
import { databaseSchema } from '../../mikro-orm.config.js';
import type { Order } from '../order.js';
import { createOrderFeeds, type OrderFeeds, orderChannel } from './order-feeds.js';

const logger = createLogger('test', 'silent');
const ofOrders = /\bcustomer_order\b/;

describe('the order feeds of a process', () => {
  let orm: MikroORM;
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let server: Awaited<ReturnType<typeof startTestRedis>>;
  let redis: ReturnType<typeof createRedis>[];
  let feeds: OrderFeeds;
  const feedsMax = 1500;
  beforeAll(async () => {
    [databases, server] = await Promise.all([createTestDatabases(['order']), startTestRedis()]);
    const url = databases.urls.order as string;
    orm = await connect({ name: 'test', url, poolMax: 4, logger }, databaseSchema);
    redis = ['subscriber', 'publisher'].map((role) => createRedis(`${server.url}/0`, logger, role));
    await Promise.all(redis.map((connection) => connection.connect()));
    feeds = createOrderFeeds(orm.em, redis[0] as (typeof redis)[0], logger, feedsMax);
  });
  afterAll(async () => {
    await feeds.stop();
    await Promise.all(redis.map(closeRedis));
    await disconnect(orm);
    await Promise.all([databases.drop(), server.stop()]);
  });

  async function place(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, newId);
    await sql(
      orm.em.fork(),
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number)
       select id, id, 10, 'USD', '{}', nextval('order_number') from unnest($1::uuid[]) as id`,
      [ids],
    );
    return ids;
  }
  const raise = (ids: readonly string[]) =>
    sql(orm.em.fork(), 'update customer_order set version = version + 1 where id = any($1)', [ids]);

  function collect(feed: AsyncIterableIterator<Order>) {
    const versions: number[] = [];
    void (async () => {
      for await (const { version } of feed) versions.push(version);
    })();
    return versions;
  }
  const sum = (seen: readonly (readonly number[])[]) =>
    seen.reduce((total, { length }) => total + length, 0);

  it('are opened together, find lost messages by changed rows only, and leave nothing', async () => {
    const ids = await place(feedsMax);
    const opened: AsyncIterableIterator<Order>[] = [];
    const opening = await rowsRead(ofOrders, async () => {
      opened.push(...(await Promise.all(ids.map((id) => feeds.open(id)))));
    });
    expect(opening.statements).toBeLessThanOrEqual(4);
    await expect(feeds.open(ids[0] as string)).rejects.toMatchObject({
      extensions: { code: 'TRY_AGAIN' },
    });
    const seen = opened.map(collect);
    const reading = await rowsRead(ofOrders, () =>
      eventually(
        async () => sum(seen),
        (total) => total === feedsMax,
      ),
    );
    expect(reading.statements).toBeLessThanOrEqual(40);

    const changed = [ids[3], ids[1400]] as string[];
    const versionsOnly = /select o\.id, o\.version/;
    const found = await rowsRead(versionsOnly, async () => {
      await raise(changed);
      await eventually(
        async () => sum(seen),
        (total) => total === feedsMax + 2,
      );
      await sleep(2500);
    });
    expect(found.rows).toBe(2);
    expect([seen[3], seen[1400], seen[4]]).toEqual([[1, 2], [1, 2], [1]]);

    for (const feed of opened) await feed.return?.();
    expect(feeds.count()).toBe(0);
    expect((await rowsRead(ofOrders, () => sleep(1500))).statements).toBe(0);
  });

  it('read the orders that a message names and somebody watches', async () => {
    const [watched, other] = (await place(2)) as [string, string];
    const feed = await feeds.open(watched);
    const seen = collect(feed);
    await raise([watched, other]);
    const read = await rowsRead(ofOrders, async () => {
      await redis[1]?.publish(orderChannel, `${other},${watched}`);
      await eventually(
        async () => seen.at(-1),
        (version) => version === 2,
      );
    });
    expect(read.rows).toBeLessThanOrEqual(4);
    await feed.return?.();
    await expect(feeds.open(newId())).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
    expect(feeds.count()).toBe(0);
  });
});
