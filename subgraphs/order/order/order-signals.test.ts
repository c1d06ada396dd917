import { EventEmitter } from 'node:events';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { ownKey } from '../../../tests/harness/own-key.js';
import { connect, disconnect } from '../../shared/database/connect.js';
import { sql } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';
import { createLogger } from '../../shared/observability/logger.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { createOrderFeeds } from './live/order-feeds.js';
import { onOrdersChanged } from './order-signals.js';
import { endPending, recordHeld } from './transitions/end-pending.js';

const logger = createLogger('test', 'silent');

describe('the listener for changed orders', () => {
  let orm: MikroORM;
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  const notified: string[] = [];
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    const url = databases.urls.order as string;
    orm = await connect({ name: 'test', url, poolMax: 4, logger }, databaseSchema);
    onOrdersChanged(orm, (orderIds) => notified.push(...orderIds));
  });
  beforeEach(() => {
    notified.length = 0;
  });
  afterAll(async () => {
    await disconnect(orm);
    await databases.drop();
  });

  /** A pending order whose stock is to be reserved. */
  async function place(): Promise<string> {
    const id = newId();
    await sql(
      orm.em.fork(),
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address)
       values ($1, $1, 10, 'USD', '{}')`,
      [id],
    );
    return id;
  }
  async function placeHeld(): Promise<string> {
    const id = await place();
    await recordHeld(orm.em.fork(), ownKey(id), soon());
    notified.length = 0;
    return id;
  }
  const soon = () => new Date(Date.now() + 60_000);

  it('is notified once, after the commit of the transaction', async () => {
    const [one, other] = [await place(), await place()];
    await orm.em.fork().transactional(async (em) => {
      await recordHeld(em, ownKey(one), soon());
      await endPending(em, ownKey(one), { to: 'CONFIRMED' });
      await recordHeld(em, ownKey(other), soon());
      expect(notified).toEqual([]);
    });
    expect(notified).toEqual([one, other]);
  });

  it('is notified at once of a change outside a transaction', async () => {
    const id = await placeHeld();
    await endPending(orm.em.fork(), ownKey(id), { to: 'CONFIRMED' });
    expect(notified).toEqual([id]);
  });

  it('is not notified of a rolled back transaction, or one that changed nothing', async () => {
    const id = await placeHeld();
    const work = orm.em.fork().transactional(async (em) => {
      await endPending(em, ownKey(id), { to: 'CONFIRMED' });
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(notified).toEqual([]);
    await endPending(orm.em.fork(), ownKey(id), { to: 'CONFIRMED' });
    await endPending(orm.em.fork(), ownKey(id), { to: 'CONFIRMED' });
    expect(notified).toEqual([id]);
  });

  it('a slow reader of a feed gets the latest order, and a feed that is closed is removed', async () => {
    const id = await placeHeld();
    const redis = Object.assign(new EventEmitter(), { status: 'end' }) as unknown as Redis;
    const feeds = createOrderFeeds(orm.em, redis, logger);
    const feed = await feeds.open(id);
    expect((await feed.next()).value).toMatchObject({ id, version: 2 });
    const next = feed.next();
    await endPending(orm.em.fork(), ownKey(id), { to: 'CONFIRMED' });
    await sql(orm.em.fork(), 'update customer_order set version = version + 1 where id = $1', [id]);
    redis.emit('message', 'order', id);
    expect((await next).value).toMatchObject({ status: 'CONFIRMED', version: 4 });
    const last = feed.next();
    await feed.return?.();
    expect(await last).toEqual({ value: undefined, done: true });
    expect(feeds.count()).toBe(0);
    await feeds.stop();
  });
});
