import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { ConfigError, loadConfig } from '../subgraphs/shared/config.js';
import { openPayments, type TestPayments } from './harness/payments.js';
import {
  checkout,
  logIn,
  openShop,
  type Person,
  pay,
  payOnce,
  registerPerson,
} from './harness/people.js';
import {
  type ProcessName,
  type ProcessSystem,
  startProcessSystem,
} from './harness/process-system.js';
import { type StripeServer, startStripeServer } from './harness/stripe/stripe-server.js';
import { ended, eventually, noReservationIsOverdue } from './harness/wait.js';
import { type Bought, type Buyers, buyInEveryWay, checkoutAgain } from './harness/ways-to-buy.js';

const roundsCount = process.env.LONG === '1' ? 20 : 1;
const roundMaxMs = 240_000;
// The target is 10 s, but a relay that died leaves its entries leased for 15 s.
const recoveryMaxMs = 30_000;
const turnsMax = 5;
const restartMaxMs = 120_000;

/** The points at which a process can stop. */
const points: ReadonlyArray<[ProcessName, string]> = [
  ['order', 'order inserted, stock not reserved'],
  ['order', 'stock reserved, not recorded'],
  ['order', 'payment created, not confirmed'],
  ['order', 'payment authorized, not recorded'],
  ['order', 'payment authorized, reservation not committed'],
  ['order', 'reservation committed, response lost'],
  ['order', 'payment captured, not recorded'],
  ['order', 'refund sent, not recorded'],
  ['order', 'payment voided, not recorded'],
  ['order', 'reservation released, order not cancelled'],
  ['order', 'event posted, not marked as sent'],
  ['order', 'event applied, response lost'],
  ['warehouse', 'reservation committed, timer not set'],
  ['warehouse', 'reservation ended, nothing published'],
  ['warehouse', 'event posted, not marked as sent'],
  ['warehouse', 'event applied, response lost'],
];

it('a process with fail points refuses to start in production', () => {
  const env = { NODE_ENV: 'production', FAIL_POINT_FILE: '/tmp/some-file' };
  expect(() => loadConfig({}, env)).toThrow(ConfigError);
});

describe('a process that is killed at a fail point, while customers buy in every way', () => {
  let system: ProcessSystem;
  let payments: TestPayments;
  let warehouse: pg.Client;
  let offerIds: string[];
  let buyers: Buyers;
  beforeAll(async () => {
    system = await startProcessSystem({
      RESERVATION_MINUTES: '0.075',
      PAYMENT_TIMEOUT_SECONDS: '2',
    });
    payments = await openPayments(system);
    warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    await warehouse.connect();
    const vendor = await registerPerson(system, 'VENDOR');
    const shops = [await openShop(system, vendor, [9000]), await openShop(system, vendor, [9000])];
    offerIds = shops.map(({ offerId }) => offerId);
  }, 240_000);
  /** New people for each round: an access token lasts 15 minutes, and declined payments of a day are limited. */
  async function newBuyers(): Promise<void> {
    const people: Person[] = [];
    for (let n = 0; n < 9; n++) people.push(await registerPerson(system));
    buyers = { system, payments, people, admin: await logIn(system, 'ada'), offerIds };
  }
  afterAll(async () => {
    await Promise.all([payments.close(), warehouse.end()]);
    await system.stop();
  }, 60_000);

  /** The final state of an order and its payments, in the order subgraph and at the sandbox. */
  async function endOf({ orderId }: Bought): Promise<string> {
    const sandboxPayments = await payments.sandboxPayments();
    const { status } = await payments.orderRow(orderId);
    const ends = (await payments.paymentsOf(orderId)).map((payment) => {
      const inSandbox = sandboxPayments.find(({ key }) => key === payment.id);
      const returned = (inSandbox?.refunds ?? []).reduce(
        (sum, { amount }) => sum + Number(amount),
        0,
      );
      return `${payment.status} ${inSandbox?.status ?? 'unknown'} ${returned}`;
    });
    return [status, ...ends].join(', ');
  }

  /**
   * Buys until the process died at the point and runs again; not every turn comes by every point.
   */
  async function buyUntilKilled(name: ProcessName, point: string): Promise<Bought[]> {
    let runsAgain = false;
    system.arm(name, point);
    const restarting = system.gone(name).then(async () => {
      await system.start(name);
      runsAgain = true;
    });
    const bought: Bought[] = [];
    for (let turn = 0; turn < turnsMax && !runsAgain; turn++) {
      bought.push(...(await buyInEveryWay(buyers)));
    }
    await ended(`${name} at “${point}”`, restarting, restartMaxMs);
    return bought;
  }

  it.each(points)(
    `%s, at “%s”: nothing is lost or done twice, rounds: ${roundsCount}`,
    async (name, point) => {
      const ends: Record<string, number> = {};
      for (let round = 0; round < roundsCount; round++) {
        await newBuyers();
        const bought = await buyUntilKilled(name, point);
        for (const each of bought) expect(await checkoutAgain(buyers, each)).toBe(each.orderId);
        await noReservationIsOverdue(warehouse, recoveryMaxMs);
        await system.expectInvariants(recoveryMaxMs);
        for (const each of bought) {
          // A due refund is sent a moment later.
          const end = await eventually(() => endOf(each), isConsistent, recoveryMaxMs).catch(() =>
            endOf(each),
          );
          ends[end] = (ends[end] ?? 0) + 1;
        }
      }
      expect(Object.keys(ends).filter((end) => !isConsistent(end))).toEqual([]);
    },
    roundsCount * roundMaxMs,
  );
});

/** The points at which the payment exists at Stripe, which chooses its id, and was not confirmed. */
const pointsOfStripe = ['payment created, id not stored', 'payment created, not confirmed'];

describe('a process that is killed between the creation of a payment at Stripe and its confirmation', () => {
  let stripe: StripeServer;
  let system: ProcessSystem;
  let order: pg.Client;
  let vendor: Person;
  let offerId: string;
  beforeAll(async () => {
    stripe = await startStripeServer();
    system = await startProcessSystem({
      PAYMENT_PROVIDER: 'stripe',
      STRIPE_SECRET_KEY: 'sk_test_x',
      STRIPE_WEBHOOK_SECRET: 'whsec_of_the_tests',
      STRIPE_API_URL: stripe.url,
      PAYMENT_TIMEOUT_SECONDS: '1',
    });
    order = new pg.Client({ connectionString: system.databases.order });
    await order.connect();
    vendor = await registerPerson(system, 'VENDOR');
    ({ offerId } = await openShop(system, vendor, [9000]));
  }, 240_000);
  afterAll(async () => {
    await order.end();
    await system.stop();
    await stripe.stop();
  }, 60_000);

  it.each(pointsOfStripe)(
    `at “%s”: nobody is charged, and the order can be paid again, rounds: ${roundsCount}`,
    async (point) => {
      const customer = await registerPerson(system);
      for (let round = 0; round < roundsCount; round++) {
        const placed = await checkout(system, customer, [{ offerId, quantity: 1 }]);
        const { id } = placed.data.checkout.order;
        const asked = stripe.attempts.length;
        system.arm('order', point);
        const key = randomUUID();
        await payOnce(system, customer, id, 'pm_card_visa', key).catch(() => {});
        await system.gone('order');
        await system.start('order');
        const failed = await eventually(
          async () =>
            (
              await order.query(
                'select id, status, failure from payment where order_id = $1 order by id',
                [id],
              )
            ).rows,
          ([payment]) => payment?.status === 'FAILED',
          recoveryMaxMs,
        );
        expect(failed).toMatchObject([{ failure: 'NOT_CHARGED' }]);
        expect(stripe.attempts).toHaveLength(asked);
        const again = await payOnce(system, customer, id, 'pm_card_visa', key);
        expect(again.errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
        const paid = await pay(system, customer, id, 'pm_card_visa');
        expect(paid.data.payOrder).toMatchObject({ __typename: 'PaymentSuccess' });
        expect(stripe.attempts).toHaveLength(asked + 1);
      }
      await system.expectInvariants(recoveryMaxMs);
    },
    roundsCount * roundMaxMs,
  );
});

/** One payment of a confirmed order is captured; any other capture of 20.00 is refunded, once. */
function isConsistent(end: string): boolean {
  const [status, ...payments] = end.split(', ');
  const notCaptured = /^(FAILED|VOIDED) (declined|canceled|unknown) 0$/;
  const captured = payments.filter((payment) => !notCaptured.test(payment));
  // The shop cancelled a line of it, or refunded an amount.
  if (status === 'CONFIRMED') return /^COMPLETED captured (0|10|1)$/.test(captured.join());
  if (status === 'CANCELLED')
    return captured.every((payment) => payment === 'REFUNDED captured 20');
  return status === 'PENDING' && captured.length === 0;
}
