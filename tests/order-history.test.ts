import pg from 'pg';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import { nodesOf } from './harness/connections.js';
import { checkout, logIn, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

const eventFields = '{ type shopOrderId actor reason at }';

interface Event {
  type: string;
  shopOrderId: string | null;
  actor: string;
  reason: string | null;
}

describe('orders of customers and shops, and their history', () => {
  let system: TestSystem;
  let warehouse: pg.Client;
  let order: pg.Client;
  let vendor: Person;
  let otherVendor: Person;
  let customer: Person;
  let shop: Awaited<ReturnType<typeof openShop>>;
  let otherShop: Awaited<ReturnType<typeof openShop>>;
  beforeAll(async () => {
    system = await startSystem();
    warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    order = new pg.Client({ connectionString: system.databases.order });
    await Promise.all([warehouse.connect(), order.connect()]);
    [vendor, otherVendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    shop = await openShop(system, vendor, [100]);
    otherShop = await openShop(system, otherVendor, [100]);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await Promise.all([warehouse.end(), order.end()]);
    await system.stop();
  });

  async function place(items = [shop, otherShop], by = customer): Promise<string> {
    const lines = items.map(({ offerId }) => ({ offerId, quantity: 1 }));
    return (await checkout(system, by, lines)).data.checkout.order.id;
  }
  const historyOf = async (person: Person, id: string): Promise<Event[]> =>
    nodesOf(
      (
        await actAs(system, person).must(
          `query ($id: UUID!) { order(id: $id) { history(first: 100) { edges { node ${eventFields} } } } }`,
          { id },
        )
      ).history,
    );
  /** the only shop order that a vendor sees */
  const shopOrderOf = async (person: Person, id: string): Promise<string> => {
    const order = await actAs(system, person).must(
      'query ($id: UUID!) { order(id: $id) { shopOrders { id } } }',
      { id },
    );
    expect(order.shopOrders).toHaveLength(1);
    return order.shopOrders[0].id;
  };
  const lines = (events: Event[]) =>
    events.map(({ type, actor, reason }) => [type, actor, reason].filter(Boolean).join(' '));
  // A worker sends the refund at any moment.
  const aboutStatus = (events: Event[]) =>
    events.filter(({ type }) => !/^(PAYMENT_|REFUND_COMPLETED$)/.test(type));

  it('is read in pages, by a customer and by a shop', async () => {
    const orderId = await place();
    await pay(system, customer, orderId);
    await actAs(system, otherVendor).must(cancelShopOrderMutation, {
      input: { id: await shopOrderOf(otherVendor, orderId), reason: 'OTHER' },
    });
    for (const person of [customer, vendor]) {
      const all = await historyOf(person, orderId);
      const paged: Event[] = [];
      let after: string | null = null;
      do {
        const { history }: { history: { edges: never[]; pageInfo: Record<string, never> } } =
          await actAs(system, person).must(
            `query ($id: UUID!, $after: String) { order(id: $id) { history(first: 2, after: $after) {
               edges { node ${eventFields} } pageInfo { hasNextPage endCursor } } } }`,
            { id: orderId, after },
          );
        paged.push(...nodesOf<Event>(history));
        after = history.pageInfo.hasNextPage ? (history.pageInfo.endCursor ?? null) : null;
      } while (after);
      expect(paged.length).toBeGreaterThan(2);
      expect(paged.slice(0, all.length)).toEqual(all);
    }
  });

  it('records who did what and why, in sequence, from the checkout on', async () => {
    const orderId = await place();
    await pay(system, customer, orderId);
    const mine = await shopOrderOf(vendor, orderId);
    const other = await shopOrderOf(otherVendor, orderId);
    const { mutate, must } = actAs(system, vendor);
    await mutate('shipShopOrder', 'ShipShopOrderInput', { id: mine }, '__typename');
    await actAs(system, otherVendor).must(cancelShopOrderMutation, {
      input: { id: other, reason: 'DAMAGED', note: 'the box is wet' },
    });
    await must('mutation ($id: UUID!) { deliverShopOrder(id: $id) { __typename } }', { id: mine });
    const events = aboutStatus(await historyOf(customer, orderId));
    expect(lines(events)).toEqual([
      `PLACED ${customer.id}`,
      'RESERVED warehouse',
      'CONFIRMED payments',
      `SHIPPED ${vendor.id}`,
      `CANCELLED ${otherVendor.id} DAMAGED: the box is wet`,
      `SHIPPED ${otherVendor.id}`,
      `REFUND_REQUESTED ${otherVendor.id} 10.00 USD: BY_SHOP`,
      `DELIVERED ${vendor.id}`,
      `DELIVERED ${vendor.id}`,
    ]);
    expect(events.map(({ shopOrderId }) => shopOrderId)).toEqual([
      ...[null, null, null],
      ...[mine, other, null, other, mine, null],
    ]);
    await eventually(
      () => historyOf(customer, orderId),
      (all) => lines(all).includes('REFUND_COMPLETED payments 10.00 USD'),
    );
    const ofMine = aboutStatus(await historyOf(vendor, orderId));
    const asSeen: Record<string, string> = {
      [customer.id]: 'customer',
      [otherVendor.id]: 'another',
    };
    expect(ofMine).toEqual(
      events
        .filter(({ shopOrderId }) => shopOrderId !== other)
        .map((event) => ({ ...event, actor: asSeen[event.actor] ?? event.actor })),
    );
  });

  it('records how an unpaid order ended', async () => {
    const cancelled = await place();
    const cancel = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
    await actAs(system, customer).must(cancel, { id: cancelled });
    expect(lines(await historyOf(customer, cancelled)).at(-1)).toBe(
      `CANCELLED ${customer.id} BY_CUSTOMER`,
    );
    const byAdmin = await place();
    const admin = await logIn(system, 'ada');
    await actAs(system, admin).must(cancel, { id: byAdmin });
    expect(lines(await historyOf(customer, byAdmin)).at(-1)).toBe(
      `CANCELLED ${admin.id} BY_CUSTOMER`,
    );
    const { rows } = await warehouse.query('select payload from outbox where key = $1', [byAdmin]);
    expect(rows).toEqual([
      { payload: { orderId: byAdmin, state: 'RELEASED', reason: 'BY_CUSTOMER', actor: admin.id } },
    ]);
    // The event of the warehouse subgraph may arrive before its response.
    const byEvent = await place();
    const release = { orderId: byEvent, reason: 'BY_CUSTOMER', actor: admin.id };
    const secret = system.secrets.callers.ORDER_SECRET as string;
    await postGraphQL(
      `http://127.0.0.1:${system.ports.ports.warehouse}/graphql`,
      'mutation ($r: [ReleaseInput!]!) { releaseReservation(requests: $r) { state } }',
      { r: [release] },
      undefined,
      { [callerHeader]: callerCredentials('order', secret) },
    );
    await eventually(
      async () => lines(await historyOf(customer, byEvent)).at(-1),
      (line) => line === `CANCELLED ${admin.id} BY_CUSTOMER`,
    );
    await checkout(system, customer, [{ offerId: shop.offerId, quantity: 10_000 }]);
    const { rows: events } = await order.query(
      `select type, actor, e.reason from order_event e join customer_order o on o.id = order_id
       where o.customer_id = $1 and number is null order by e.id`,
      [customer.id],
    );
    expect(events).toEqual([
      { type: 'PLACED', actor: customer.id, reason: null },
      { type: 'CANCELLED', actor: 'checkout', reason: 'OUT_OF_STOCK' },
    ]);
  });

  it('cannot be changed or deleted, not even in the database', async () => {
    const held = 'order_id in (select id from customer_order where number is not null)';
    for (const change of [`update order_event set actor = 'x'`, 'delete from order_event']) {
      for (const statement of [change, `${change} where ${held}`]) {
        await expect(order.query(statement)).rejects.toThrow('append-only');
      }
    }
  });

  it('a shop sees its shop order, but no payments, totals, customer or other shops', async () => {
    const orderId = await place();
    const ask = (person: Person, fields: string) =>
      system.graphql(
        `query ($id: UUID!) { order(id: $id) { ${fields} } }`,
        { id: orderId },
        person.token,
      );
    const { data } = await ask(
      vendor,
      'number status createdAt shippingAddress { street city } customer { id } shopOrders { shop { id } subtotal { amount } items { quantity } }',
    );
    expect(data.order).toMatchObject({
      status: 'PENDING',
      shippingAddress: null,
      customer: null,
      shopOrders: [
        { shop: { id: shop.shopId }, subtotal: { amount: '10.00' }, items: [{ quantity: 1 }] },
      ],
    });
    for (const fields of ['total { amount }', 'payments { edges { node { id } } }']) {
      const { errors } = await ask(vendor, fields);
      expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    }
    const stranger = await registerPerson(system, 'VENDOR');
    expect((await ask(stranger, 'number')).data.order).toBeNull();
  });

  it('a shop can page through its shop orders, newest first and by status; nobody else can', async () => {
    const fresh = await openShop(system, vendor, [100]);
    const orders: string[] = [];
    for (let n = 0; n < 5; n++) orders.push(await place([fresh, otherShop]));
    await pay(system, customer, orders[2] as string);
    const page = async (person: Person, args: string) => {
      const { data, errors } = await system.graphql(
        `query ($id: UUID!) { shop(id: $id) { orders(${args}) {
           edges { node { status order { id } } } pageInfo { hasNextPage endCursor } } } }`,
        { id: fresh.shopId },
        person.token,
      );
      return { orders: data.shop?.orders, code: errors?.[0]?.extensions.code };
    };
    const idsOf = ({ orders }: Awaited<ReturnType<typeof page>>) =>
      orders.edges.map(({ node }: { node: { order: { id: string } } }) => node.order.id);
    const first = await page(vendor, 'first: 3');
    const second = await page(vendor, `first: 3, after: "${first.orders.pageInfo.endCursor}"`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(orders.toReversed());
    expect(second.orders.pageInfo.hasNextPage).toBe(false);
    expect(idsOf(await page(vendor, 'status: CONFIRMED'))).toEqual([orders[2]]);
    expect(idsOf(await page(await logIn(system, 'ada'), 'first: 1'))).toEqual([orders[4]]);
    for (const person of [customer, otherVendor]) {
      expect(await page(person, 'first: 3')).toEqual({ orders: null, code: 'FORBIDDEN' });
    }
  });

  it('a customer can page through orders, newest first and by status; nobody else can', async () => {
    const [person, stranger] = [await registerPerson(system), await registerPerson(system)];
    const orders: string[] = [];
    for (let n = 0; n < 3; n++) orders.push(await place([shop], person));
    await pay(system, person, orders[1] as string);
    const list = (args: string) => actAs(system, person).must(`{ orders${args} ${ids} }`);
    const ids = '{ edges { node { id } } pageInfo { endCursor } }';
    const idsOf = ({ edges }: { edges: { node: { id: string } }[] }) =>
      edges.map(({ node }) => node.id);
    const first = await list('(first: 2)');
    const rest = await list(`(after: "${first.pageInfo.endCursor}")`);
    expect([...idsOf(first), ...idsOf(rest)]).toEqual(orders.toReversed());
    expect(idsOf(await list('(status: PENDING)'))).toEqual([orders[2], orders[0]]);
    const ofUser = `query ($id: UUID!) { user(id: $id) { orders(status: CONFIRMED) ${ids} } }`;
    const admin = await logIn(system, 'ada');
    for (const viewer of [person, admin]) {
      const user = await actAs(system, viewer).must(ofUser, { id: person.id });
      expect(idsOf(user.orders)).toEqual([orders[1]]);
    }
    const { errors } = await system.graphql(ofUser, { id: person.id }, stranger.token);
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
