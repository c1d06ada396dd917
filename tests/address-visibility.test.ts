import pg from 'pg';
import { overWebSocket } from './harness/live.js';
import { buy, placeOrder } from './harness/orders.js';
import { address, logIn, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

type Shop = Awaited<ReturnType<typeof openShop>>;
type Step = 'placed' | 'paid' | 'shipped' | 'delivered' | 'cancelled unpaid' | 'cancelled';

const phone = '+12025550143';
const personal = { recipient: address.recipient, phone, street: address.street };
const addressFields = 'shippingAddress { recipient phone street }';

describe('the shipping address of an order', () => {
  let system: TestSystem;
  let database: pg.Client;
  let vendor: Person;
  let otherVendor: Person;
  let customer: Person;
  let admin: Person;
  let shop: Shop;
  let otherShop: Shop;
  beforeAll(async () => {
    system = await startSystem();
    database = new pg.Client({ connectionString: system.databases.order });
    await database.connect();
    [vendor, otherVendor, customer, admin] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
      logIn(system, 'ada'),
    ]);
    shop = await openShop(system, vendor, [1000]);
    otherShop = await openShop(system, otherVendor, [1000]);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  /** The id of the shop order of a shop. */
  async function shopOrderOf(orderId: string, { shopId }: Shop): Promise<string> {
    const { rows } = await database.query(
      'select id from shop_order where order_id = $1 and shop_id = $2',
      [orderId, shopId],
    );
    return rows[0].id;
  }
  const ship = (id: string, by = vendor) =>
    actAs(system, by).mutate('shipShopOrder', 'ShipShopOrderInput', { id }, '__typename');
  const cancel = (id: string, by = vendor) =>
    actAs(system, by).must(cancelShopOrderMutation, { input: { id, reason: 'DAMAGED' } });

  /** An order from these shops, of which the first does what `step` says. @returns its id */
  async function orderAt(step: Step, ...shops: [Shop, ...Shop[]]): Promise<string> {
    const isPaid = step !== 'placed' && step !== 'cancelled unpaid';
    const id = await (isPaid ? buy : placeOrder)(system, customer, 1, ...shops);
    await database.query(
      `update customer_order set shipping_address = shipping_address || jsonb_build_object('phone', $2::text)
       where id = $1`,
      [id, phone],
    );
    const shopOrderId = await shopOrderOf(id, shops[0]);
    if (step === 'cancelled unpaid') {
      const query = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
      await actAs(system, customer).must(query, { id });
    }
    if (step === 'cancelled') await cancel(shopOrderId);
    if (step === 'shipped' || step === 'delivered') await ship(shopOrderId);
    if (step === 'delivered') {
      const query = 'mutation ($id: UUID!) { deliverShopOrder(id: $id) { __typename } }';
      await actAs(system, vendor).must(query, { id: shopOrderId });
    }
    return id;
  }
  const changeTimes = async (orderId: string, of: Shop, assignments: string) =>
    database.query(`update shop_order set ${assignments} where id = $1`, [
      await shopOrderOf(orderId, of),
    ]);
  const seenBy = async (person: Person, id: string) => {
    const query = `query ($id: UUID!) { order(id: $id) { ${addressFields} } }`;
    return (await actAs(system, person).must(query, { id }))?.shippingAddress ?? null;
  };

  const almost = (days: number) => `now() - interval '${days} days' + interval '1 minute'`;
  const ago = (days: number) => `now() - interval '${days} days'`;
  it.each<[Step, string, 'seen' | 'not seen', string?]>([
    ['placed', 'and not paid', 'not seen'],
    ['cancelled unpaid', '', 'not seen'],
    ['paid', '', 'seen'],
    ['paid', 'years ago', 'seen', `created_at = ${ago(999)}, updated_at = ${ago(999)}`],
    ['cancelled', 'after payment', 'not seen'],
    ['shipped', 'now', 'seen', `updated_at = ${ago(200)}`],
    ['shipped', 'almost 90 days ago', 'seen', `shipped_at = ${almost(90)}`],
    ['shipped', '90 days ago', 'not seen', `shipped_at = ${ago(90)}, updated_at = now()`],
    ['delivered', 'now', 'seen', `updated_at = ${ago(200)}`],
    ['delivered', 'almost 30 days ago', 'seen', `delivered_at = ${almost(30)}`],
    ['delivered', '30 days ago', 'not seen', `delivered_at = ${ago(30)}, updated_at = now()`],
    ['delivered', 'now, shipped almost 90 days ago', 'seen', `shipped_at = ${almost(90)}`],
    ['delivered', 'now, shipped 91 days ago', 'not seen', `shipped_at = ${ago(91)}`],
  ])('that is %s %s is %s by its shop, and seen by customer and admins', async (...row) => {
    const [step, , seen, times] = row;
    const isForShop = seen === 'seen';
    const id = await orderAt(step, shop);
    if (times) await changeTimes(id, shop, times);
    expect(await seenBy(customer, id)).toEqual(personal);
    expect(await seenBy(admin, id)).toEqual(personal);
    expect(await seenBy(vendor, id)).toEqual(isForShop ? personal : null);
    const { edges } = (
      await actAs(system, vendor).must(
        `query ($id: UUID!) { shop(id: $id) { orders(first: 1) { edges { node {
         order { id ${addressFields} customer { id } history { edges { node { actor reason } } } } } } } } }`,
        { id: shop.shopId },
      )
    ).orders;
    const { order } = edges[0].node;
    if (step === 'cancelled unpaid') {
      expect(order.id).not.toBe(id);
      return;
    }
    expect(order).toMatchObject({
      id,
      customer: null,
      shippingAddress: isForShop ? personal : null,
    });
    if (!isForShop) {
      const text = JSON.stringify(order);
      for (const part of [...Object.values(personal), customer.id]) {
        expect(text).not.toContain(part);
      }
    }
  });

  it('is for each shop by the state of its own shop order', async () => {
    const id = await orderAt('paid', shop, otherShop);
    expect(await seenBy(otherVendor, id)).toEqual(personal);
    await cancel(await shopOrderOf(id, shop));
    expect(await seenBy(vendor, id)).toBeNull();
    expect(await seenBy(otherVendor, id)).toEqual(personal);
    const stranger = await registerPerson(system, 'VENDOR');
    const query = `query ($id: UUID!) { order(id: $id) { ${addressFields} } }`;
    for (const person of [stranger, await registerPerson(system)]) {
      expect((await system.graphql(query, { id }, person.token)).data).toEqual({ order: null });
    }
  });

  it('is for an owner of several shops while one of them needs it', async () => {
    const second = await openShop(system, vendor, [1000]);
    const id = await orderAt('shipped', shop, second);
    await changeTimes(id, shop, `shipped_at = ${ago(91)}`);
    expect(await seenBy(vendor, id)).toEqual(personal);
    await cancel(await shopOrderOf(id, second));
    expect(await seenBy(vendor, id)).toBeNull();
  });

  it('is in the live order of a shop from payment on, also while the customer watches too', async () => {
    const id = await orderAt('placed', shop);
    const clients = [customer, vendor].map(({ token }) => overWebSocket(system.url, token));
    const query = `subscription ($id: UUID!) { orderChanged(id: $id) { status ${addressFields} } }`;
    const watches = clients.map(({ subscribe }) => subscribe(query, { id }));
    const last = () => watches.map(({ seen }) => seen.at(-1)?.data.orderChanged);
    const until = (status: string) =>
      eventually(
        async () => last(),
        (orders) => orders.every((order) => order?.status === status),
      );
    await until('PENDING');
    expect(last()).toMatchObject([{ shippingAddress: personal }, { shippingAddress: null }]);
    await pay(system, customer, id);
    await until('CONFIRMED');
    expect(last()).toMatchObject([{ shippingAddress: personal }, { shippingAddress: personal }]);
    for (const client of clients) client.close();
  });
});
