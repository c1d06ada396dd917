import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { isTopic, readPayload } from '../../contracts/events.js';
import { migrate } from '../../shared/database/run-migrations.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';

const initial = { ...databaseSchema, migrations: databaseSchema.migrations?.slice(0, 1) ?? [] };

interface OldShopOrder {
  readonly id: string;
  readonly orderId: string;
  readonly shopId: string;
}

describe('a database of the first version, with orders, that is migrated', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let client: pg.Client;
  const parts: Record<string, OldShopOrder> = {};
  const part = (name: string) => parts[name] as OldShopOrder;
  const returns: Record<string, string> = {};

  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    client = new pg.Client({ connectionString: databases.urls.order });
    await client.connect();
    await client.query('drop schema public cascade; create schema public');
    const settings = { name: 'order', url: databases.urls.order, poolMax: 1 };
    await migrate(settings, initial);
    const statuses = ['PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED'];
    for (const status of statuses) parts[status] = await insertShopOrder(status);
    for (const reason of ['BY_CUSTOMER', 'BY_SHOP', 'PAYMENT_FAILED']) {
      parts[reason] = await insertShopOrder('CANCELLED');
      returns[reason] = await insertReturn(part(reason), reason, false);
    }
    returns.sent = await insertReturn(part('CANCELLED'), 'BY_SHOP', true);
    await migrate(settings, databaseSchema);
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  /** A shop order of three units of one variant, in two lines, and two of another. */
  async function insertShopOrder(status: string): Promise<OldShopOrder> {
    const [id, orderId, shopId] = [newId(), newId(), newId()];
    await client.query(
      `insert into customer_order (id, customer_id, status, cancel_reason, total_amount,
         currency_code, shipping_address)
       values ($1, $1, $2, case when $2 = 'CANCELLED' then 'BY_SHOP' end, 5, 'USD', '{}')`,
      [orderId, status],
    );
    await client.query(
      `insert into shop_order (id, order_id, shop_id, status, updated_at)
       values ($1, $2, $3, $4, '2026-11-20T10:00:00.123Z')`,
      [id, orderId, shopId, status],
    );
    await client.query(
      `insert into order_item (id, shop_order_id, offer_id, sku, name, unit_price_amount,
         currency_code, quantity)
       select gen_random_uuid(), $1, $1, sku, sku, 1, 'USD', quantity
       from unnest(array['MUG', 'MUG', 'CUP'], array[1, 2, 2]) as line (sku, quantity)`,
      [id],
    );
    return { id, orderId, shopId };
  }

  async function insertReturn({ orderId, shopId }: OldShopOrder, reason: string, isSent: boolean) {
    const id = newId();
    await client.query(
      `insert into outbox (id, consumer, topic, key, version, payload, sent_at)
       values ($1, 'warehouse', 'order.stock.returned', $2, 1, $3, case when $4 then now() end)`,
      [id, `${orderId}:${shopId}`, { orderId, shopId, reason }, isSent],
    );
    return id;
  }

  /** The events that are to be sent for a shop order, as their consumer reads them. */
  async function eventsOf({ id }: OldShopOrder) {
    const { rows } = await client.query<{ id: string; topic: string; payload: object }>(
      `select id, topic, payload from outbox
       where key = $1 and consumer = 'warehouse' and sent_at is null and dead_at is null`,
      [id],
    );
    return rows.map(({ id: eventId, topic, payload }) => {
      if (!isTopic(topic)) throw new Error(`unknown topic ${topic}`);
      const read = readPayload(topic, JSON.stringify(payload)) as { lines: { sku: string }[] };
      const lines = read.lines.toSorted((a, b) => (a.sku < b.sku ? -1 : 1));
      return { eventId, topic, ...read, lines };
    });
  }
  const lines = [
    { sku: 'CUP', quantity: 2 },
    { sku: 'MUG', quantity: 3 },
  ];

  it.each(['SHIPPED', 'DELIVERED'])('announces the shipment of a %s shop order', async (status) => {
    const { id: shopOrderId, orderId, shopId } = part(status);
    const [shipment, ...others] = await eventsOf(part(status));
    expect(shipment).toEqual({
      eventId: expect.any(String),
      topic: 'order.units.shipped',
      shipmentId: shipment?.eventId,
      shopOrderId,
      orderId,
      shopId,
      shippedAt: '2026-11-20T10:00:00.123Z',
      lines,
    });
    expect(others).toEqual([]);
  });

  it.each(['PENDING', 'CONFIRMED', 'CANCELLED'])(
    'announces nothing of a %s one',
    async (status) => {
      expect(await eventsOf(part(status))).toEqual([]);
    },
  );

  it.each([
    ['BY_CUSTOMER', 'CUSTOMER_REQUEST'],
    ['BY_SHOP', 'OTHER'],
    ['PAYMENT_FAILED', 'PAYMENT_FAILED'],
  ])('sends a return %s that was not sent as a cancellation of the units', async (was, reason) => {
    const { id: shopOrderId, orderId, shopId } = part(was);
    const eventId = returns[was];
    expect(await eventsOf(part(was))).toEqual([
      {
        eventId,
        topic: 'order.units.cancelled',
        cancellationId: eventId,
        shopOrderId,
        orderId,
        shopId,
        reason,
        lines,
      },
    ]);
  });

  it('leaves a return that was sent as it is', async () => {
    const { rows } = await client.query(
      `select id from outbox where topic = 'order.stock.returned'`,
    );
    expect(rows).toEqual([{ id: returns.sent }]);
  });
});
