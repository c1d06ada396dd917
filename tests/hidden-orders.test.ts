import { getNamedType, isAbstractType, isObjectType } from 'graphql';
import pg from 'pg';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import { overWebSocket } from './harness/live.js';
import {
  checkout,
  checkoutOnce,
  logIn,
  openShop,
  type Person,
  payOnce,
  registerPerson,
} from './harness/people.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';
import { subgraphs } from './rights/graph.js';

interface Hidden {
  readonly orderId: string;
  readonly shopOrderId: string;
  readonly from: readonly Person[];
}

/**
 * The fields of the order subgraph that return an order or a shop order, and the test below that tries
 * them; `its parent` if the parent is shown only with an order.
 */
const tried: Readonly<Record<string, string>> = {
  'Query.order': 'order',
  'OrderEdge.node': 'orders',
  'ShopOrderEdge.node': 'Shop.orders',
  'Order.shopOrders': 'its parent',
  'ShopOrder.order': 'its parent',
  'Payment.order': 'its parent',
  'Subscription.orderChanged': 'orderChanged',
  'Mutation.cancelOrder': 'cancelOrder',
  'Mutation.cancelShopOrder': 'cancelShopOrder',
  'Mutation.shipShopOrder': 'shipShopOrder',
  'Mutation.deliverShopOrder': 'deliverShopOrder',
  'CheckoutSuccess.order': 'its parent',
  'OrderExpired.order': 'its parent',
  'PaymentSuccess.order': 'its parent',
  'PaymentDeclined.order': 'its parent',
};

describe('an order whose stock was never held, or which its shop does not see as it ended unpaid,', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let otherCustomer: Person;
  let admin: Person;
  let order: pg.Client;
  let shopId: string;
  const hidden: Record<string, Hidden> = {};
  beforeAll(async () => {
    system = await startSystem();
    order = new pg.Client({ connectionString: system.databases.order });
    await order.connect();
    [vendor, customer, otherCustomer, admin] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
      registerPerson(system),
      logIn(system, 'ada'),
    ]);
    const shop = await openShop(system, vendor, [5]);
    shopId = shop.shopId;
    await checkout(system, customer, [{ offerId: shop.offerId, quantity: 6 }]);
    const everybody = [customer, vendor, admin];
    hidden.refused = await newest('CANCELLED', everybody);
    await system.stopProcess('warehouse');
    await checkoutOnce(system, customer, [{ offerId: shop.offerId, quantity: 1 }]);
    await system.start('warehouse');
    hidden['in progress'] = await newest('PENDING', everybody);
    // The recovery of abandoned orders would cancel it.
    await order.query(`update customer_order set created_at = now() + interval '1 hour'
      where status = 'PENDING'`);
    const placed = await checkout(system, otherCustomer, [{ offerId: shop.offerId, quantity: 1 }]);
    await ask(byId('cancelOrder'), placed.data.checkout.order.id, otherCustomer);
    hidden['cancelled unpaid'] = await newest('CANCELLED', [vendor], otherCustomer);
  });
  afterAll(async () => {
    await order.end();
    await system.stop();
  });

  async function newest(status: string, from: readonly Person[], of = customer): Promise<Hidden> {
    const { rows } = await order.query<Omit<Hidden, 'from'>>(
      `select o.id as "orderId", s.id as "shopOrderId" from customer_order o
       join shop_order s on s.order_id = o.id
       where o.customer_id = $1 and o.status = $2`,
      [of.id, status],
    );
    expect(rows).toHaveLength(1);
    return { ...(rows[0] as (typeof rows)[number]), from };
  }
  const ask = async (query: string, id: string, { token }: Person) =>
    system.graphql(query, { id }, token);
  const entity = async (representation: object, { token }: Person) => {
    const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }';
    const credentials = callerCredentials('router', system.secrets.callers.ROUTER_SECRET as string);
    const url = `http://127.0.0.1:${system.ports.ports.order}/graphql`;
    const headers = { [callerHeader]: credentials };
    const reply = await postGraphQL(url, query, { r: [representation] }, token, headers);
    return reply.data._entities;
  };

  const codeOf = async (mutation: string, id: string, person: Person) =>
    (await ask(mutation, id, person)).errors?.[0]?.extensions.code;
  const byId = (name: string) => `mutation ($id: UUID!) { ${name}(id: $id) { __typename } }`;
  const byInput = (name: string, more = '') =>
    `mutation ($id: UUID!) { ${name}(input: { id: $id ${more} }) { __typename } }`;

  const notShown: Record<string, (which: Hidden) => Promise<void>> = {
    async order({ orderId, from }) {
      for (const person of from) {
        const { data } = await ask('query ($id: UUID!) { order(id: $id) { id } }', orderId, person);
        expect(data).toEqual({ order: null });
      }
    },
    async orders() {
      for (const status of ['', '(status: CANCELLED)', '(status: PENDING)']) {
        const page = `orders${status} { edges { node { id } } }`;
        const own = await system.graphql(`{ ${page} me { ${page} } }`, {}, customer.token);
        expect(own.data).toEqual({ orders: { edges: [] }, me: { orders: { edges: [] } } });
      }
      const query = 'query ($id: UUID!) { user(id: $id) { orders { edges { node { id } } } } }';
      const { data } = await ask(query, customer.id, admin);
      expect(data.user.orders.edges).toEqual([]);
    },
    async 'Shop.orders'() {
      for (const status of ['', '(status: CANCELLED)', '(status: PENDING)']) {
        const query = `query ($id: UUID!) { shop(id: $id) { orders${status} { edges { node { id } } } } }`;
        for (const person of [vendor, admin]) {
          const { data } = await ask(query, shopId, person);
          expect(data.shop.orders.edges).toEqual([]);
        }
      }
    },
    async orderChanged({ orderId, from: [person] }) {
      const client = overWebSocket(system.url, person?.token);
      const watch = client.subscribe('subscription ($id: UUID!) { orderChanged(id: $id) { id } }', {
        id: orderId,
      });
      await eventually(
        async () => watch.ended() ?? watch.seen[0],
        (end) => end !== null && end !== undefined,
      );
      expect(JSON.stringify([watch.ended(), watch.seen])).toContain('NOT_FOUND');
      client.close();
    },
    async 'references of other subgraphs'({ orderId, shopOrderId, from }) {
      for (const person of from) {
        for (const key of [
          { __typename: 'Order', id: orderId },
          { __typename: 'ShopOrder', id: shopOrderId },
          { __typename: 'ShopOrder', order: { id: orderId }, shop: { id: shopId } },
        ]) {
          expect(await entity(key, person)).toEqual([null]);
        }
      }
    },
    async 'shopOrderById of the warehouse subgraph'({ shopOrderId }) {
      const secret = system.secrets.callers.WAREHOUSE_SECRET as string;
      const { data } = await postGraphQL(
        `http://127.0.0.1:${system.ports.ports.order}/graphql`,
        'query ($id: UUID!) { shopOrderById(id: $id) { status } }',
        { id: shopOrderId },
        undefined,
        { [callerHeader]: callerCredentials('warehouse', secret) },
      );
      expect(data).toEqual({ shopOrderById: null });
    },
    async cancelOrder({ orderId }) {
      for (const person of [customer, admin]) {
        expect(await codeOf(byId('cancelOrder'), orderId, person)).toBe('NOT_FOUND');
      }
    },
    async payOrder({ orderId }) {
      const { errors } = await payOnce(system, customer, orderId);
      expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    },
    async cancelShopOrder({ shopOrderId }) {
      const cancel = byInput('cancelShopOrder', 'reason: OTHER');
      expect(await codeOf(cancel, shopOrderId, vendor)).toBe('NOT_FOUND');
    },
    async shipShopOrder({ shopOrderId }) {
      const ship = byInput('shipShopOrder');
      expect(await codeOf(ship, shopOrderId, vendor)).toBe('NOT_FOUND');
    },
    async deliverShopOrder({ shopOrderId }) {
      expect(await codeOf(byId('deliverShopOrder'), shopOrderId, vendor)).toBe('NOT_FOUND');
    },
  };

  const forOthers = [
    'orders',
    'shopOrderById of the warehouse subgraph',
    'cancelOrder',
    'payOrder',
  ];
  const ways = Object.keys(notShown);
  const cases = Object.entries({
    refused: ways,
    'in progress': ways,
    'cancelled unpaid': ways.filter((way) => !forOthers.includes(way)),
  }).flatMap(([kind, of]) => of.map((way) => [kind, way] as const));
  it.each(cases)('that is %s is hidden from: %s', async (kind, way) => {
    const which = hidden[kind] as Hidden;
    const rowsOf = async () =>
      (
        await order.query(
          `select o.status, o.version, s.status as part, count(e.*) from customer_order o
           join shop_order s on s.order_id = o.id join order_event e on e.order_id = o.id
           where o.id = $1 group by 1, 2, 3`,
          [which.orderId],
        )
      ).rows;
    const before = await rowsOf();
    await notShown[way]?.(which);
    expect(await rowsOf()).toEqual(before);
  });

  it('is shown to its customer and admins if its stock was held', async () => {
    const { orderId, shopOrderId } = hidden['cancelled unpaid'] as Hidden;
    const query = 'query ($id: UUID!) { order(id: $id) { status shopOrders { id shop { id } } } }';
    for (const person of [otherCustomer, admin]) {
      expect((await ask(query, orderId, person)).data.order).toEqual({
        status: 'CANCELLED',
        shopOrders: [{ id: shopOrderId, shop: { id: shopId } }],
      });
    }
    const cancel = byInput('cancelShopOrder', 'reason: OTHER');
    expect((await ask(cancel, shopOrderId, admin)).data.cancelShopOrder.__typename).toBe(
      'WrongShopOrderStatus',
    );
  });

  it('is tried in every field that returns an order or a shop order', () => {
    const shown = new Set(['Order', 'ShopOrder']);
    const { schema } = subgraphs.find(({ name }) => name === 'order') as (typeof subgraphs)[number];
    const fields = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .filter(({ name }) => !name.startsWith('_'))
      .flatMap((type) =>
        Object.values(type.getFields()).flatMap((field) => {
          const named = getNamedType(field.type);
          const types = isAbstractType(named) ? schema.getPossibleTypes(named) : [named];
          return types.some(({ name }) => shown.has(name)) ? [`${type.name}.${field.name}`] : [];
        }),
      );
    expect(fields.toSorted()).toEqual(Object.keys(tried).toSorted());
    const known = [...Object.keys(notShown), 'its parent'];
    expect(Object.values(tried).filter((way) => !known.includes(way))).toEqual([]);
  });
});
