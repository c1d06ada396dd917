import { createTestDatabases } from '../../../tests/harness/databases.js';
import { connect } from '../../shared/database/connect.js';
import { sql } from '../../shared/database/sql.js';
import { type ClaimOnce, createClaims } from '../../shared/idempotency/claim-key.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { type CheckoutWrites, createCheckoutWrites } from './checkout-writes.js';
import type { NewOrder } from './new-order.js';
import type { ReservedOrder } from './store-outcomes.js';

describe('checkouts at the same time', () => {
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  let writes: CheckoutWrites;
  let claimKey: ClaimOnce;
  beforeAll(async () => {
    const made = await createTestDatabases(['order']);
    database = made;
    orm = await connect({ name: 'test', url: made.urls.order, poolMax: 5 }, databaseSchema);
    claimKey = createClaims(orm.em);
    writes = createCheckoutWrites(orm.em, noLimits);
  });
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const noLimits = { openOrdersMax: 1000, openUnitsMax: 1000, addressBuyersMax: 3 };
  const shippingAddress = {
    recipient: "O'Neil",
    street: '1 "Main" {St}',
    city: 'B\\c',
    zip: ',',
    country: 'US',
  };
  const offerOf = (purchaseLimit: number | null = null) => ({
    ...{ id: newId(), shopId: newId(), sku: 'SKU', name: 'It', priceAmount: '1.10' },
    ...{ currencyCode: 'USD', purchaseLimit, isActive: true },
  });
  const orderOf = (customerId: string, quantity: number, offer: object = offerOf()) =>
    ({ id: newId(), customerId, shippingAddress, lines: [{ offer, quantity }] }) as NewOrder;
  const rows = <T>(text: string, values: unknown[]) => sql<T>(orm.em.fork(), text, values);
  const totalsOf = async (orders: readonly NewOrder[]) => {
    const found = await rows<{ id: string; total: string; address: object }>(
      `select o.id, total_amount as total, shipping_address as address
       from customer_order o join shop_order s on s.order_id = o.id join order_item i on i.shop_order_id = s.id
         join order_event e on e.order_id = o.id where o.id = any($1::uuid[])`,
      [orders.map(({ id }) => id)],
    );
    const byId = new Map(found.map((row) => [row.id, row]));
    return orders.map(({ id }) => byId.get(id)?.total);
  };

  it('are each written completely, and two orders of one customer are counted together', async () => {
    const [customer, offer] = [newId(), offerOf()];
    const orders = [orderOf(customer, 2, offer), orderOf(customer, 3, offer), orderOf(newId(), 1)];
    await Promise.all(orders.map(writes.place));
    expect(await totalsOf(orders)).toEqual(['2.20', '3.30', '1.10']);
    const counted = await rows('select units from purchase where customer_id = $1', [customer]);
    expect(counted).toEqual([{ units: '5' }]);
    const [first] = await rows<{ address: object }>(
      'select shipping_address as address from customer_order where id = $1',
      [orders[0]?.id],
    );
    expect(first?.address).toEqual(shippingAddress);
  });

  it('do not fail because another one in the batch was placed before', async () => {
    const [known, other] = [orderOf(newId(), 1), orderOf(newId(), 2)];
    await writes.place(known);
    const outcomes = await Promise.all([known, other].map(writes.place));
    expect(outcomes).toEqual([{ state: 'exists' }, { state: 'placed', inCart: false }]);
    expect(await totalsOf([other])).toEqual(['2.20']);
    const counted = await rows('select units from purchase where customer_id = $1', [
      known.customerId,
    ]);
    expect(counted).toEqual([{ units: '1' }]);
  });

  it('report whether a line is in the customer’s cart', async () => {
    const [customer, offer] = [newId(), offerOf()];
    await rows('insert into cart (customer_id, shard) values ($1, 0)', [customer]);
    await rows(
      `insert into cart_item (customer_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
       values ($1, $2, $3, 'It', 1, 'USD', 1)`,
      [customer, offer.id, newId()],
    );
    const orders = [orderOf(customer, 1, offer), orderOf(newId(), 1, offer), orderOf(customer, 1)];
    const placed = [true, false, false].map((inCart) => ({ state: 'placed', inCart }));
    expect(await Promise.all(orders.map(writes.place))).toEqual(placed);
  });

  it('record their reservations with the outcomes of their keys, once', async () => {
    const orders = [orderOf(newId(), 1), orderOf(newId(), 1)];
    const reservedOf = ({ id, customerId }: NewOrder) => ({
      ...{ order: { customerId, id }, expiresAt: new Date() },
      outcome: { kind: 'placed', orderId: id },
      key: { userId: customerId, operation: 'checkout', key: 'k' },
    });
    const claim = ({ key, order }: ReturnType<typeof reservedOf>) =>
      claimKey({ key, fingerprint: 'f', subjectId: order.id });
    const reserved = orders.map(reservedOf);
    expect((await Promise.all(reserved.map(claim))).map(({ claimed }) => claimed)).toEqual([
      true,
      true,
    ]);
    await Promise.all(orders.map(writes.place));
    expect(await Promise.all(reserved.map(writes.markReserved))).toEqual([true, true]);
    expect(await Promise.all(reserved.map(writes.markReserved))).toEqual([false, false]);
    const again = await Promise.all(reserved.map(claim));
    expect(again.map(({ outcome }) => outcome)).toEqual(reserved.map(({ outcome }) => outcome));
  });

  it('are cancelled when out of stock, with their purchases subtracted, unless they are reserved', async () => {
    const [customer, offer] = [newId(), offerOf()];
    const orders = [1, 2, 4].map((quantity) => orderOf(customer, quantity, offer));
    await Promise.all(orders.map(writes.place));
    const outcomeOf = ({ id }: NewOrder) => ({
      ...{ order: { customerId: customer, id }, expiresAt: new Date() },
      outcome: { kind: 'short' },
      key: { userId: customer, operation: 'checkout', key: id },
    });
    const [first, second, reserved] = orders.map(outcomeOf) as [
      ReservedOrder,
      ReservedOrder,
      ReservedOrder,
    ];
    await claimKey({ key: first.key, fingerprint: 'f', subjectId: first.order.id });
    expect(await writes.markReserved(reserved)).toBe(true);
    expect(await Promise.all([first, second, reserved].map(writes.cancelOutOfStock))).toEqual([
      true,
      true,
      false,
    ]);
    expect(await Promise.all([first, reserved].map(writes.cancelOutOfStock))).toEqual([
      false,
      false,
    ]);
    const counted = await rows('select units from purchase where customer_id = $1', [customer]);
    expect(counted).toEqual([{ units: '4' }]);
    const ended = await rows(
      `select o.status, o.cancel_reason as reason, s.status as "shopOrder", o.version,
         (select count(*) from order_event e where e.order_id = o.id and e.type = 'CANCELLED')::int as events
       from customer_order o join shop_order s on s.order_id = o.id where o.id = any($1) order by o.id`,
      [orders.map(({ id }) => id)],
    );
    const cancelled = { status: 'CANCELLED', reason: 'OUT_OF_STOCK', shopOrder: 'CANCELLED' };
    expect(ended).toEqual([
      { ...cancelled, version: 2, events: 1 },
      { ...cancelled, version: 2, events: 1 },
      { status: 'PENDING', reason: null, shopOrder: 'PENDING', version: 2, events: 0 },
    ]);
    const kept = await claimKey({ key: first.key, fingerprint: 'f', subjectId: newId() });
    expect(kept).toMatchObject({ subjectId: first.order.id, outcome: { kind: 'short' } });
  });

  const refusalOf = async ({ id, customerId }: NewOrder) => {
    const key = { userId: customerId, operation: 'checkout', key: id };
    const { claimedUntil } = await claimKey({ key, fingerprint: 'f', subjectId: id });
    return { order: { customerId, id }, key, outcome: { kind: 'gone' }, claimedUntil };
  };
  it('are refused together, each unless its key has an outcome or an order', async () => {
    const orders = [1, 2, 3].map((quantity) => orderOf(newId(), quantity));
    const refusals = await Promise.all(orders.map(refusalOf));
    const claim = ({ key, order }: (typeof refusals)[number]) =>
      claimKey({ key, fingerprint: 'f', subjectId: order.id });
    const [refused, placed] = orders as [NewOrder, NewOrder];
    await writes.place(placed);
    expect(await Promise.all(refusals.map(writes.storeRefusal))).toEqual([true, false, true]);
    expect(await Promise.all(refusals.map(writes.storeRefusal))).toEqual([false, false, false]);
    const stored = await Promise.all(refusals.map(claim));
    const gone = { kind: 'gone' };
    expect(stored.map(({ outcome }) => outcome)).toEqual([gone, null, gone]);
    expect(await totalsOf([refused, placed])).toEqual([undefined, '2.20']);
  });

  it('are not refused by a process whose claim lapsed, while another one is about to place the order', async () => {
    const order = orderOf(newId(), 1);
    const late = await refusalOf(order);
    await rows(`update idempotency_key set claimed_until = now() - interval '1 s' where key = $1`, [
      order.id,
    ]);
    const successor = await refusalOf(order);
    expect(await writes.storeRefusal(late)).toBe(false);
    await writes.place(order);
    const { order: placed, key } = successor;
    const outcome = { kind: 'placed', orderId: placed.id };
    const reserved = { order: placed, key, outcome, expiresAt: new Date() };
    expect(await writes.markReserved(reserved)).toBe(true);
    const stored = await claimKey({ key, fingerprint: 'f', subjectId: newId() });
    expect(stored.outcome).toEqual(outcome);
  });
});
