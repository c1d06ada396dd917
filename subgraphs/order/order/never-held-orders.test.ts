import { openTestDatabase, type TestDatabase } from '../../../tests/harness/databases.js';
import { ownKey } from '../../../tests/harness/own-key.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { ownedSql, prunablesOf, prune as pruneRows } from '../../shared/database/prune.js';
import type { OwnedDeletion } from '../../shared/database/retention.js';
import { lowestIdAt, newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { beginPayments } from '../payment/state/begin-payments.js';
import { neverHeldRetention } from './never-held-orders.js';
import { Order } from './order.js';
import { endPending, recordHeld } from './transitions/end-pending.js';

const tables = ['order_event', 'order_item', 'shop_order', 'customer_order'];

describe('orders that ended before their stock was held', () => {
  let orm: TestDatabase['orm'];
  let client: TestDatabase['client'];
  let close: TestDatabase['close'];
  beforeAll(async () => {
    ({ orm, client, close } = await openTestDatabase('order', databaseSchema));
  });
  afterAll(() => close());

  /** Pending orders of two shop orders with a line each, placed some days ago. */
  async function place(days: number, count = 1): Promise<string[]> {
    const { rows } = await client.query<{ id: string }>(
      `with orders as (
         insert into customer_order
           (id, customer_id, total_amount, currency_code, shipping_address, created_at)
         select id, id, 2, 'USD', '{}', now() - $1 * interval '1 day'
         from (select gen_random_uuid() as id from generate_series(1, $2)) new returning id
       ), parts as (
         insert into shop_order (customer_id, id, order_id, shop_id)
         select id, gen_random_uuid(), id, id from orders, generate_series(1, 2)
         returning customer_id, id
       ), items as (
         insert into order_item
           (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code,
            quantity)
         select customer_id, gen_random_uuid(), id, id, 'S', 'S', 1, 'USD', 1 from parts
       ), history as (
         insert into order_event (customer_id, id, order_id, type, actor)
         select id, uuidv7(-$1 * interval '1 day'), id, 'PLACED', 'test' from orders
       )
       select id from orders`,
      [days, count],
    );
    return rows.map(({ id }) => id);
  }
  const end = (id: string) =>
    endPending(orm.em.fork(), ownKey(id), { to: 'CANCELLED', reason: 'OUT_OF_STOCK' });
  const counted = async () => {
    const counts = tables.map((table) => `(select count(*) from ${table})::int as ${table}`);
    return (await client.query(`select ${counts.join(', ')}`)).rows[0];
  };
  const prune = (isStopping?: () => boolean) =>
    pruneRows(orm.em, prunablesOf(orm.em, [Order]), logger, isStopping ? { isStopping } : {});
  const placedEvents = async (id: string) =>
    (await client.query('select type from order_event where order_id = $1 order by id', [id]))
      .rowCount;

  it('are deleted after 7 days with all their rows, and no other order is', async () => {
    const [[old], [recent], [pending], [held], [paid]] = (await Promise.all(
      [8, 6, 8, 8, 8].map((days) => place(days)),
    )) as [[string], [string], [string], [string], [string]];
    for (const id of [held, paid]) await recordHeld(orm.em.fork(), ownKey(id), new Date());
    for (const id of [old, recent, held]) await end(id);
    await endPending(orm.em.fork(), ownKey(paid), { to: 'CONFIRMED' });
    const before = await counted();
    expect(await prune()).toBe(1);
    expect(await counted()).toEqual({
      order_event: before.order_event - 2,
      order_item: before.order_item - 2,
      shop_order: before.shop_order - 2,
      customer_order: before.customer_order - 1,
    });
    const { rows } = await client.query('select id from customer_order');
    expect(rows.map(({ id }) => id).toSorted()).toEqual([recent, pending, held, paid].toSorted());
    expect(await Promise.all([held, paid].map(placedEvents))).toEqual([3, 3]);
    expect(await prune()).toBe(0);
  });

  it('are deleted in more than one batch, and until the process is asked to stop', async () => {
    const ids = await place(8, 250);
    await Promise.all(ids.map(end));
    let checks = 0;
    const isStopping = () => {
      checks += 1;
      return checks > 1;
    };
    expect(await prune(isStopping)).toBe(100);
    expect(await prune()).toBe(150);
  });

  it('are deleted without a look at months of the history before them', async () => {
    const [first] = neverHeldRetention.owned?.deletions ?? [];
    const months = async (from: number) => {
      const text = ownedSql(['customer_id', 'id'], first as OwnedDeletion, lowestIdAt(from));
      const { rows } = await client.query(`explain ${text}`, [[newId()], [newId()]]);
      return new Set(JSON.stringify(rows).match(/order_event_\d+_\d+/g));
    };
    const inTwoMonths = Date.now() + 62 * 24 * 3_600_000;
    expect((await months(Date.now())).size - (await months(inTwoMonths)).size).toBe(2);
  });

  it('are left for the next time while somebody has them locked', async () => {
    const [id] = (await place(8)) as [string];
    await end(id);
    await client.query('begin');
    await client.query('select from customer_order where id = $1 for update', [id]);
    expect(await prune()).toBe(0);
    await client.query('commit');
    expect(await prune()).toBe(1);
  });

  it('are kept if they have a payment, which cannot be', async () => {
    const [id] = (await place(8)) as [string];
    await end(id);
    await client.query(
      `insert into payment (id, order_id, customer_id, amount, status, failure, provider)
       values ($1, $1, $1, 2, 'FAILED', 'DECLINED', 'sandbox')`,
      [id],
    );
    expect(await prune()).toBe(0);
    await client.query('delete from payment');
    expect(await prune()).toBe(1);
  });

  it('have the only history that can be deleted, and none can be changed', async () => {
    const [[pending], [held], [recent], [ended]] = (await Promise.all(
      [8, 8, 6, 8].map((days) => place(days)),
    )) as [[string], [string], [string], [string]];
    await recordHeld(orm.em.fork(), ownKey(held), new Date());
    for (const id of [held, recent, ended]) await end(id);
    const remove = (id: string) =>
      client.query('delete from order_event where order_id = $1', [id]);
    for (const id of [pending, held, recent]) {
      await expect(remove(id)).rejects.toThrow('append-only');
    }
    const unnumbered = client.query(
      'update customer_order set number = null, expires_at = null where id = $1',
      [held],
    );
    await expect(unnumbered).rejects.toThrow('the number of an order never changes');
    await expect(client.query('delete from order_event')).rejects.toThrow('append-only');
    for (const id of [pending, held, ended]) {
      const change = `update order_event set actor = 'x' where order_id = $1`;
      await expect(client.query(change, [id])).rejects.toThrow('append-only');
    }
    expect((await remove(ended)).rowCount).toBe(2);
  });

  it('cannot be paid before their stock is held', async () => {
    const [id] = (await place(0)) as [string];
    const payment = { customerId: id, orderId: id, method: 'Card', endsOrder: false };
    const provider = { name: 'sandbox', timeLimitMs: 1000, takesOurIds: true };
    const begin = async () =>
      (await beginPayments(orm.em.fork(), provider, [{ ...payment, id: newId() }]))[0]?.kind;
    expect(await begin()).toBe('not-payable');
    await recordHeld(orm.em.fork(), ownKey(id), new Date(Date.now() + 60_000));
    expect(await begin()).toBe('begun');
  });

  it('cannot be held once they have ended, and get no number', async () => {
    const [id] = (await place(0)) as [string];
    await end(id);
    expect(await recordHeld(orm.em.fork(), ownKey(id), new Date())).toBe(false);
    const held = `update customer_order set expires_at = now() where id = $1`;
    await expect(client.query(held, [id])).rejects.toThrow('customer_order_held');
    const numbers = await client.query('select number from customer_order where id = $1', [id]);
    expect(numbers.rows).toEqual([{ number: null }]);
  });
});
