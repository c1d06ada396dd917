import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type List, nodes, nodesOf } from './harness/connections.js';
import { openPayments, type TestPayments } from './harness/payments.js';
import {
  checkout,
  logIn,
  openShop,
  type Person,
  payOnce,
  registerPerson,
} from './harness/people.js';
import { retryUntil } from './harness/retry.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const long = process.env.LONG === '1';
const ordersCount = long ? 100 : 8;
const maxMs = long ? 1_800_000 : 240_000;
const timeoutMs = 30_000;
const attemptsMax = 4;

const shopAt = fc.nat(1);
const units = fc.integer({ min: 1, max: 3 });
const cents = fc.integer({ min: 1, max: 2500 });

/** What the customer does until the order is paid or ended. */
const payStep = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('decline', 'approve', 'refuse', 'cancel while challenged'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['confirm 500', 'confirm silent', 'capture 500', 'capture silent'],
      ...['cancel 500', 'lookUp 500', 'dashboard cancel', 'dashboard capture', 'dashboard lapse'],
    ),
  },
);
/** What people do to a paid order at the same moment. */
const act = fc.oneof(
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('cancelShopOrder' as const), shopAt }) },
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('cancelLines' as const), shopAt, units }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('refundLines' as const), shopAt, units }) },
  {
    weight: 3,
    arbitrary: fc.record({ verb: fc.constant('refundAmount' as const), shopAt, cents }),
  },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('ship' as const), shopAt }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('cancelOrder' as const) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('retryRefunds' as const) }) },
);
/** What happens at the provider, between them. */
const atProvider = fc.oneof(
  fc.record({ verb: fc.constant('dashboard' as const), cents }),
  fc.record({ verb: fc.constant('fail' as const), nth: fc.nat(3) }),
  fc.record({
    verb: fc.constant('dispute' as const),
    cents,
    status: fc.constantFrom('INQUIRY' as const, 'OPEN' as const),
  }),
  fc.record({
    verb: fc.constant('decide' as const),
    status: fc.constantFrom('CLOSED' as const, 'OPEN' as const, 'WON' as const, 'LOST' as const),
  }),
  fc.record({
    verb: fc.constant('fault' as const),
    fault: fc.constantFrom('500' as const, '400' as const, 'silent' as const),
    isExecuted: fc.boolean(),
  }),
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;
type AtProvider = typeof atProvider extends fc.Arbitrary<infer T> ? T : never;

interface Amount {
  readonly amount: string;
}
interface OrderView {
  readonly status: string;
  readonly total: Amount;
  readonly shopOrders: {
    id: string;
    status: string;
    subtotal: Amount;
    refunded: Amount;
    items: { id: string; quantity: number; cancelledQuantity: number; unitPrice: Amount }[];
  }[];
  readonly payments: List<{
    id: string;
    status: string;
    amount: Amount;
    refunds: ({ id: string; status: string } & { amount: Amount })[];
    disputes: { status: string; amount: Amount }[];
  }>;
}
type PaymentView = OrderView['payments']['edges'][number]['node'];

// Whole cents as BigInt, to be independent of the arithmetic under test.
const centsOf = (amount: string): bigint => BigInt(amount.replace('.', ''));
const sum = (amounts: readonly Amount[]) =>
  amounts.reduce((all, { amount }) => all + centsOf(amount), 0n);
const written = (amount: number | bigint) => (Number(amount) / 100).toFixed(2);

describe('the money of an order', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let vendor: Person;
  let admin: Person;
  let customer: Person;
  let shops: Awaited<ReturnType<typeof openShop>>[];
  beforeAll(async () => {
    system = await startSystem();
    payments = await openPayments(system);
    [vendor, admin] = [await registerPerson(system, 'VENDOR'), await logIn(system, 'ada')];
    shops = [
      await openShop(system, vendor, [100_000], '10.00'),
      await openShop(system, vendor, [100_000], '3.33'),
    ];
  });
  afterAll(async () => {
    await payments.close();
    await system.stop();
  });

  const send = async (query: string, variables: object, { token }: Person) => {
    const untilMs = Date.now() + timeoutMs;
    const reply = await retryUntil(() => system.graphql(query, variables, token), untilMs);
    if (!reply) throw new Error('no answer');
    return reply;
  };
  const mutate = (name: string, type: string, input: object, person = vendor) =>
    send(
      `mutation ($input: ${type}!) { ${name}(input: $input) { __typename } }`,
      { input },
      person,
    );
  const look = async (id: string): Promise<OrderView> => {
    const query = `query ($id: UUID!) { order(id: $id) {
      status total { amount }
      shopOrders { id status subtotal { amount } refunded { amount }
        items { id quantity cancelledQuantity unitPrice { amount } } }
      payments(first: 100) { ${nodes(`id status amount { amount } refunds { id status amount { amount } }
        disputes { status amount { amount } }`)} } } }`;
    const { data, errors } = await send(query, { id }, customer);
    if (errors) throw new Error(JSON.stringify(errors));
    return data.order;
  };
  const books = async (paymentId: string) => {
    const { status, amount, refunds, disputes } = (await payments.sandboxPaymentOf(paymentId)) ?? {
      status: 'unknown',
      amount: '0.00',
      refunds: [],
      disputes: [],
    };
    const returned = refunds.filter((refund) => refund.status !== 'failed');
    const lost = disputes.filter((dispute) => dispute.status === 'LOST');
    const captured = status === 'captured' ? centsOf(amount) : 0n;
    return { captured, returned, lost, left: captured - sum(returned) - sum(lost), disputes };
  };

  async function place(): Promise<string> {
    const items = shops.map(({ offerId }) => ({ offerId, quantity: 3 }));
    return (await checkout(system, customer, items)).data.checkout.order.id;
  }
  const cancelOrder = (id: string) =>
    send('mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }', { id }, customer);

  /** One attempt to pay, with what the customer and the provider do meanwhile. */
  async function attempt(id: string, how: string): Promise<void> {
    const [operation, fault] = how.split(' ') as [string, string];
    if (operation === 'dashboard') {
      await payments.control({ silent: true });
      const { data } = await payOnce(system, customer, id, 'Challenge Card');
      const paymentId: string | undefined = data?.payOrder?.payment?.id;
      if (paymentId) {
        await payments.act(paymentId, 'approve');
        await payments.dashboard(paymentId, fault as 'cancel');
      }
      await payments.control({ silent: false });
      await payments.order.query('update payment set next_attempt_at = now() where id = $1', [
        paymentId,
      ]);
    } else if (['confirm', 'capture', 'cancel', 'lookUp'].includes(operation)) {
      const method = operation === 'cancel' ? 'Declined Card' : 'Credit Card';
      await payments.fault(operation as 'confirm', fault as '500', 1, fault === '500');
      await payOnce(system, customer, id, method);
      await payments.fault(operation as 'confirm', fault as '500', 0);
    } else if (how === 'decline') {
      await payOnce(system, customer, id, 'Declined Card');
    } else {
      const { data } = await payOnce(system, customer, id, 'Challenge Card');
      const paymentId: string | undefined = data?.payOrder?.payment?.id;
      if (!paymentId) return;
      const customerActs = payments.act(paymentId, how === 'refuse' ? 'refuse' : 'approve');
      await Promise.all([customerActs, how === 'cancel while challenged' && cancelOrder(id)]);
    }
  }

  const isBlocked = `exists (select from dispute d
    where d.payment_id = p.id and d.status in ('OPEN', 'LOST'))`;
  /** Waits until nothing is left to do but what waits for a person. */
  async function settle(orderId: string): Promise<void> {
    await eventually(
      async () => {
        const { rows } = await payments.order.query(
          `select p.id from payment p where p.order_id = $1 and
             (p.next_attempt_at is not null or exists (select from refund r where r.payment_id = p.id
               and (r.status = 'SENT' or r.status = 'PENDING' and not ${isBlocked})))`,
          [orderId],
        );
        // Retries come seconds or minutes later.
        const ids = rows.map(({ id }) => id);
        await payments.order.query(
          `update payment set next_attempt_at = now()
           where id = any($1) and next_attempt_at > now()`,
          [ids],
        );
        await payments.order.query(
          `update refund set next_attempt_at = now()
           where payment_id = any($1) and status in ('PENDING', 'SENT')`,
          [ids],
        );
        return rows;
      },
      ({ length }) => length === 0,
      timeoutMs,
    );
  }

  async function execute(each: Act, orderId: string, view: OrderView): Promise<void> {
    const part = 'shopAt' in each ? view.shopOrders[each.shopAt] : undefined;
    const lines = [{ itemId: part?.items[0]?.id, quantity: 'units' in each ? each.units : 1 }];
    const refund = { shopOrderId: part?.id, reason: 'why', idempotencyKey: randomUUID() };
    switch (each.verb) {
      case 'cancelShopOrder':
        await mutate('cancelShopOrder', 'CancelShopOrderInput', { id: part?.id, reason: 'OTHER' });
        return;
      case 'cancelLines':
        await mutate('cancelShopOrder', 'CancelShopOrderInput', {
          ...{ id: part?.id, reason: 'OTHER', lines, idempotencyKey: randomUUID() },
        });
        return;
      case 'refundLines':
        await mutate('refundShopOrder', 'RefundShopOrderInput', { ...refund, lines });
        return;
      case 'refundAmount':
        await mutate('refundShopOrder', 'RefundShopOrderInput', {
          ...{ ...refund, amount: written(each.cents) },
        });
        return;
      case 'ship':
        await mutate('shipShopOrder', 'ShipShopOrderInput', { id: part?.id });
        return;
      case 'cancelOrder':
        await cancelOrder(orderId);
        return;
      case 'retryRefunds':
        for (const { refunds } of nodesOf(view.payments)) {
          for (const { id, status } of refunds) {
            if (status !== 'FAILED') continue;
            const retry = 'mutation ($id: UUID!) { retryRefund(id: $id) { __typename } }';
            await send(retry, { id }, admin);
          }
        }
    }
  }

  async function happen(each: AtProvider, view: OrderView): Promise<void> {
    const paid = nodesOf(view.payments).find(({ status }) =>
      ['COMPLETED', 'REFUNDED'].includes(status),
    );
    if (each.verb === 'fault') {
      await payments.fault('refund', each.fault, 1, each.isExecuted);
      return;
    }
    if (!paid) return;
    const { left, returned, disputes } = await books(paid.id);
    const undecided = disputes.find(({ status }) => status === 'INQUIRY' || status === 'OPEN');
    const isOpen = undecided?.status === 'OPEN';
    const amount = 'cents' in each ? BigInt(each.cents) : 0n;
    switch (each.verb) {
      case 'dashboard':
        if (amount > left || isOpen) return;
        await payments.dashboard(paid.id, 'refund', { amount: written(amount) });
        return;
      case 'fail':
        if (returned[each.nth]) {
          await payments.finishRefund(returned[each.nth]?.id as string, 'failed', 'closed card');
        }
        return;
      case 'dispute':
        if (undecided || left === 0n) return;
        await payments.dispute(paid.id, each.status, {
          amount: written(amount < left ? amount : left),
        });
        return;
      case 'decide':
        // The sandbox refuses what cannot follow, and so does the amount if a refund has been sent meanwhile.
        if (undecided && (each.status !== 'OPEN' || centsOf(undecided.amount) <= left)) {
          await payments.dispute(paid.id, each.status);
        }
    }
  }

  /** The books of the provider, and what the order says of them. */
  async function expectEqualBooks(orderId: string): Promise<void> {
    const { view } = await eventually(
      async () => {
        const order = await look(orderId);
        return { view: order, differences: await differencesOf(order) };
      },
      ({ differences }) => differences.length === 0,
      timeoutMs,
    );
    for (const { refunded, subtotal, items } of view.shopOrders) {
      expect(centsOf(refunded.amount)).toBeLessThanOrEqual(centsOf(subtotal.amount));
      for (const { quantity, cancelledQuantity } of items) {
        expect(cancelledQuantity).toBeLessThanOrEqual(quantity);
      }
    }
  }

  async function differencesOf(view: OrderView): Promise<string[]> {
    const differences: string[] = [];
    let atDashboard = 0n;
    for (const payment of nodesOf(view.payments)) {
      const { left, returned } = await books(payment.id);
      if (left < 0n) differences.push(`${payment.id}: ${left} left at the provider`);
      if (left !== leftHere(payment)) {
        differences.push(`${payment.id}: ${left} at the provider, ${leftHere(payment)} here`);
      }
      const ids = returned.flatMap(({ refundId }) => refundId ?? []);
      if (new Set(ids).size < ids.length) differences.push(`${payment.id}: refunded twice`);
      atDashboard += sum(returned.filter(({ refundId }) => refundId === null));
    }
    const live = nodesOf(view.payments)
      .flatMap(({ refunds }) => refunds)
      .filter(({ status }) => ['PENDING', 'SENT', 'COMPLETED'].includes(status));
    const ofShopOrders = sum(view.shopOrders.map(({ refunded }) => refunded));
    const here = sum(live.map(({ amount }) => amount));
    if (ofShopOrders + atDashboard !== here) {
      differences.push(`${ofShopOrders} of shop orders and ${atDashboard} of ${here} refunded`);
    }
    return differences;
  }

  /** captured − refunded − lost, as the API shows it */
  function leftHere({ status, amount, refunds, disputes }: PaymentView): bigint {
    const captured = ['COMPLETED', 'REFUNDED'].includes(status) ? centsOf(amount.amount) : 0n;
    const returned = refunds.filter((refund) => refund.status === 'COMPLETED');
    const lost = disputes.filter((dispute) => dispute.status === 'LOST');
    return (
      captured - sum(returned.map((each) => each.amount)) - sum(lost.map((each) => each.amount))
    );
  }

  it(
    `is what the provider has, whatever people and the provider do (${ordersCount} orders)`,
    async () => {
      const attempts = fc.array(payStep, { maxLength: attemptsMax });
      const group = fc.oneof(
        { weight: 3, arbitrary: fc.array(act, { minLength: 1, maxLength: 3 }) },
        { weight: 2, arbitrary: atProvider },
      );
      const groups = fc.array(group, { minLength: 2, maxLength: 6 });
      const property = fc.asyncProperty(attempts, groups, async (pays, steps) => {
        customer = await registerPerson(system);
        const id = await place();
        for (const how of pays) await attempt(id, how);
        await settle(id);
        await payOnce(system, customer, id);
        await settle(id);
        await expectEqualBooks(id);
        for (const each of steps) {
          const view = await look(id);
          if (Array.isArray(each)) await Promise.all(each.map((one) => execute(one, id, view)));
          else await happen(each, view);
          await settle(id);
          await expectEqualBooks(id);
        }
        await payments.fault('refund', '500', 0);
        await system.expectInvariants();
      });
      await fc.assert(property, { numRuns: ordersCount, endOnFailure: !long });
    },
    maxMs,
  );
});
