import { openPayments, sendWebhook, type TestPayments } from './harness/payments.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';

const roundsCount = process.env.LONG === '1' ? 20 : 4;
const ordersOfRound = 4;

type Shop = Awaited<ReturnType<typeof openShop>>;
interface Placed {
  readonly orderId: string;
  readonly parts: readonly string[];
  /** none where the order's time was up on a busy machine */
  readonly paymentId: string | undefined;
}

/** Customer, shops, provider and clock, all at the same few orders of one customer at once. */
describe('orders at which everybody is at once', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let customer: Person;
  let vendor: Person;
  let shops: Shop[];
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: '0.1' });
    payments = await openPayments(system);
    [customer, vendor] = await Promise.all([
      registerPerson(system),
      registerPerson(system, 'VENDOR'),
    ]);
    shops = [
      await openShop(system, vendor, [5000], '10.10'),
      await openShop(system, vendor, [5000], '0.33'),
      await openShop(system, vendor, [5000], '7.00'),
    ];
  });
  afterAll(async () => {
    await payments.close();
    await system.stop();
  });

  /** An order of all three shops, in an order of their own, and a payment of it. */
  async function place(n: number): Promise<Placed> {
    const turned = [...shops.slice(n % 3), ...shops.slice(0, n % 3)];
    const ordered = n % 2 ? turned : turned.toReversed();
    const items = ordered.map(({ offerId }) => ({ offerId, quantity: 1 }));
    const orderId = (await checkout(system, customer, items)).data.checkout.order.id;
    const method = n % 3 === 2 ? 'Challenge Card' : 'Chatty Card';
    const { payment } = (await pay(system, customer, orderId, method)).data.payOrder;
    const { rows } = await payments.order.query<{ id: string }>(
      'select id from shop_order where order_id = $1 order by id',
      [orderId],
    );
    return { orderId, parts: rows.map(({ id }) => id), paymentId: payment?.id };
  }

  const by = (person: Person, name: string, id: string) =>
    system.graphql(
      `mutation ($id: UUID!) { ${name}(id: $id) { __typename } }`,
      { id },
      person.token,
    );
  const ship = (id: string) =>
    system.graphql(
      'mutation ($input: ShipShopOrderInput!) { shipShopOrder(input: $input) { __typename } }',
      { input: { id } },
      vendor.token,
    );
  const buyMore = () =>
    checkout(
      system,
      customer,
      shops.map(({ offerId }) => ({ offerId, quantity: 1 })),
    );

  /** All that may happen to an order, at once. */
  function everything({ orderId, parts, paymentId }: Placed, n: number): Promise<GraphQLReply>[] {
    if (paymentId) {
      void payments.act(paymentId, n % 2 ? 'approve' : 'refuse');
      void Promise.all([sendWebhook(system, { paymentId }), sendWebhook(system, { paymentId })]);
    }
    return [
      by(customer, 'cancelOrder', orderId),
      by(customer, 'cancelOrder', orderId),
      ...parts.map((id) => by(vendor, 'cancelShopOrder', id)),
      ...(n % 4 === 0 ? parts.slice(1).map(ship) : []),
      pay(system, customer, orderId, 'Credit Card'),
      buyMore(),
    ];
  }

  it(`nobody is told of a deadlock, and nothing is lost, in ${roundsCount} rounds`, async () => {
    const errors: unknown[] = [];
    for (let round = 0; round < roundsCount; round++) {
      const placed = await Promise.all(Array.from({ length: ordersOfRound }, (_, n) => place(n)));
      const replies = await Promise.all(placed.flatMap(everything));
      errors.push(
        ...replies
          .flatMap((reply) => reply.errors ?? [])
          .filter(({ extensions }) => extensions.code !== 'TRY_AGAIN'),
      );
    }
    expect(errors).toEqual([]);
    const { rows } = await payments.order.query(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    expect(rows).toEqual([{ deadlocks: '0' }]);
    await system.expectInvariants();
  }, 300_000);
});
