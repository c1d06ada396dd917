import { openPayments, sendWebhook, type TestPayments } from './harness/payments.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';

const roundsCount = process.env.LONG === '1' ? 20 : 4;
const ordersOfRound = 4;

type Shop = Awaited<ReturnType<typeof openShop>>;
interface Placed {
  readonly orderId: string;
  readonly shopOrderIds: readonly string[];
  /** undefined if the order expired, on a busy machine */
  readonly paymentId: string | undefined;
}

/** Customer, shops, provider and expiry change the same few orders of one customer concurrently. */
describe('orders that everybody changes at the same time', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let customer: Person;
  let vendor: Person;
  let shops: Shop[];
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: '0.1', PAYMENT_TIMEOUT_SECONDS: '2' });
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

  /** An order of all three shops, in a sequence that depends on `n`, and a payment of it. */
  async function place(n: number): Promise<Placed> {
    const rotated = [...shops.slice(n % 3), ...shops.slice(0, n % 3)];
    const sequence = n % 2 ? rotated : rotated.toReversed();
    const items = sequence.map(({ offerId }) => ({ offerId, quantity: 1 }));
    const orderId = (await checkout(system, customer, items)).data.checkout.order.id;
    const method = n % 3 === 2 ? 'Challenge Card' : 'Chatty Card';
    const { payment } = (await pay(system, customer, orderId, method)).data.payOrder;
    const { rows } = await payments.order.query<{ id: string }>(
      'select id from shop_order where order_id = $1 order by id',
      [orderId],
    );
    return { orderId, shopOrderIds: rows.map(({ id }) => id), paymentId: payment?.id };
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

  /** All that can happen to an order, concurrently. */
  function everything(
    { orderId, shopOrderIds, paymentId }: Placed,
    n: number,
  ): Promise<GraphQLReply>[] {
    if (paymentId) {
      void payments.act(paymentId, n % 2 ? 'approve' : 'refuse');
      void Promise.all([sendWebhook(system, { paymentId }), sendWebhook(system, { paymentId })]);
    }
    return [
      by(customer, 'cancelOrder', orderId),
      by(customer, 'cancelOrder', orderId),
      ...shopOrderIds.map((id) =>
        system.graphql(cancelShopOrderMutation, { input: { id, reason: 'OTHER' } }, vendor.token),
      ),
      ...(n % 4 === 0 ? shopOrderIds.slice(1).map(ship) : []),
      pay(system, customer, orderId, 'Credit Card'),
      buyMore(),
    ];
  }

  it(`cause no deadlock and no error but TRY_AGAIN, and lose nothing, in ${roundsCount} rounds`, async () => {
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
