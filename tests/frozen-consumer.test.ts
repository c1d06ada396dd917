import pg from 'pg';
import { checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { type ProcessSystem, startProcessSystem } from './harness/process-system.js';
import { eventually } from './harness/wait.js';

const recoveryMaxMs = 30_000;
const ordersCount = 6;
/** Events for the frozen consumer, ahead of all others: more than one queue for all consumers would get through. */
const backlogCount = 2000;

type Shop = Awaited<ReturnType<typeof openShop>>;

describe('a consumer that is frozen: it accepts events and never answers', () => {
  let system: ProcessSystem;
  let vendor: Person;
  let customer: Person;
  const clients: Partial<Record<'order' | 'warehouse' | 'product', pg.Client>> = {};
  beforeAll(async () => {
    // Orders expire after fifteen seconds.
    system = await startProcessSystem({ RESERVATION_MINUTES: '0.25' });
    for (const name of ['order', 'warehouse', 'product'] as const) {
      clients[name] = new pg.Client({ connectionString: system.databases[name] });
      await clients[name]?.connect();
    }
    [vendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
  }, 240_000);
  afterAll(async () => {
    await Promise.all(Object.values(clients).map((client) => client.end()));
    await system.stop();
  }, 60_000);

  const query = async <T extends object>(
    name: keyof typeof clients,
    text: string,
    values: unknown[],
  ) => (await (clients[name] as pg.Client).query<T>(text, values)).rows;

  const openShops = () =>
    Promise.all(Array.from({ length: ordersCount }, () => openShop(system, vendor, [1])));
  /** Orders the last unit of each SKU: it runs out, and comes back into stock when its order expires. */
  const placeOrders = (shops: readonly Shop[]) =>
    Promise.all(
      shops.map(async ({ offerId }) => {
        const { data } = await checkout(system, customer, [{ offerId, quantity: 1 }]);
        return data.checkout.order.id as string;
      }),
    );
  const expired = async (orderIds: string[]) => {
    const rows = await query<{ count: number }>(
      'warehouse',
      `select count(*)::int as count from reservation where order_id = any($1) and state = 'EXPIRED'`,
      [orderIds],
    );
    return rows[0]?.count === ordersCount;
  };
  const cancelled = async (orderIds: string[]) => {
    const rows = await query<{ count: number }>(
      'order',
      `select count(*)::int as count from customer_order
       where id = any($1) and status = 'CANCELLED' and cancel_reason = 'PAYMENT_TIMEOUT'`,
      [orderIds],
    );
    return rows[0]?.count;
  };
  const inStock = async (skus: string[]) => {
    const rows = await query<{ count: number }>(
      'product',
      'select count(*)::int as count from offer_listing where sku = any($1) and in_stock',
      [skus],
    );
    return rows[0]?.count;
  };
  /** Events without an effect, as many as an import writes: of unknown orders, or an old version of a stock. */
  const writeBacklog = (consumer: 'order' | 'product', { shopId, sku }: Shop) => {
    const [topic, delivery, payload] =
      consumer === 'order'
        ? ['warehouse.reservation.ended', 'each', { state: 'EXPIRED', reason: 'PAYMENT_TIMEOUT' }]
        : ['warehouse.stock.changed', 'latest', { shopId, sku, inStock: true }];
    return query(
      'warehouse',
      `insert into outbox (id, consumer, delivery, topic, key, version, payload)
       select uuidv7(), $1, $2, $3, id, 0, $4::jsonb || jsonb_build_object('orderId', id)
       from (select uuidv7()::text as id from generate_series(1, $5)) as made`,
      [consumer, delivery, topic, JSON.stringify(payload), backlogCount],
    );
  };
  const sentTo = async (consumer: string) => {
    const rows = await query<{ unsent: number; rejections: number }>(
      'warehouse',
      `select count(*) filter (where sent_at is null)::int as unsent,
         coalesce(sum(rejections), 0)::int as rejections from outbox where consumer = $1`,
      [consumer],
    );
    return rows[0];
  };

  it.each(['order', 'product'] as const)(
    '%s holds up the events of no other, however many wait for it, and gets each once when it goes on',
    async (frozen) => {
      const shops = await openShops();
      const skus = shops.map(({ sku }) => sku);
      await eventually(
        () => inStock(skus),
        (count) => count === ordersCount,
      );
      if (frozen === 'product') await system.freeze(frozen);
      const orderIds = await placeOrders(shops);
      if (frozen === 'order') await system.freeze(frozen);
      try {
        await writeBacklog(frozen, shops[0] as Shop);
        await eventually(
          () => expired(orderIds),
          (all) => all,
          60_000,
        );
        const ofOther = () => (frozen === 'order' ? inStock(skus) : cancelled(orderIds));
        await eventually(ofOther, (count) => count === ordersCount);
        expect((await sentTo(frozen))?.unsent).toBeGreaterThanOrEqual(backlogCount);
      } finally {
        await system.thaw(frozen);
      }
      await eventually(
        () => sentTo(frozen),
        (sent) => sent?.unsent === 0,
      );
      expect(await sentTo(frozen)).toEqual({ unsent: 0, rejections: 0 });
      expect([await cancelled(orderIds), await inStock(skus)]).toEqual([ordersCount, ordersCount]);
      const history = await query(
        'order',
        `select order_id from order_event where order_id = any($1) and type = 'CANCELLED'`,
        [orderIds],
      );
      expect(history).toHaveLength(ordersCount);
      await system.expectInvariants(recoveryMaxMs);
    },
    240_000,
  );
});
