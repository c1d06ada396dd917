import type { Fault } from '../../../../tests/harness/stripe/interference.js';
import {
  failureOf,
  kindOf,
  rejectionOf,
  type StripeSetup,
  startWithProvider,
  type TestPayment,
} from '../../../../tests/harness/stripe/with-provider.js';
import type { PaymentProvider } from './payment-provider.js';
import { createStripeProvider, type StripeSettings } from './stripe-provider.js';

let stripe: StripeSetup;
beforeAll(async () => {
  stripe = await startWithProvider();
});
afterAll(() => stripe.stop());

type State = keyof StripeSetup['inState'];

const intentOf = ({ transactionId }: TestPayment) => stripe.server.intents.get(transactionId);
const refundsOf = ({ transactionId }: TestPayment) =>
  stripe.server.refunds.all().filter((refund) => refund.payment_intent === transactionId);

/** What happened at the banks: requests for money, money taken, money returned. */
function moneyOf(payment: TestPayment) {
  const asked = stripe.server.attempts.filter(
    ({ intentId }) => intentId === payment.transactionId,
  ).length;
  return { asked, taken: intentOf(payment)?.amount_received, refunds: refundsOf(payment).length };
}

async function outcomeOf(promise: Promise<{ status: string; hasLapsed?: boolean }>) {
  try {
    const { status, hasLapsed } = await promise;
    return hasLapsed ? 'lapsed' : status;
  } catch (thrown) {
    return kindOf(thrown as Error);
  }
}

describe('a payment at Stripe', () => {
  const [unknown, refused] = ['unknown', 'refused'];
  it.each<[State, string, string, string, string, string]>([
    // the state, how it is found, and the outcomes of confirm, capture, cancel and refund
    ['unconfirmed', 'unconfirmed', 'authorized', 'unconfirmed', 'canceled', refused],
    ['actionRequired', 'actionRequired', 'actionRequired', 'actionRequired', 'canceled', refused],
    ['pending', 'pending', 'pending', 'pending', unknown, refused],
    ['authorized', 'authorized', 'authorized', 'captured', 'canceled', refused],
    ['captured', 'captured', 'captured', 'captured', 'captured', 'succeeded'],
    ['declined', 'declined', 'declined', 'declined', 'canceled', refused],
    ['canceled', 'canceled', 'canceled', 'canceled', 'canceled', refused],
    ['lapsed', 'lapsed', 'lapsed', 'lapsed', 'lapsed', refused],
  ])('that is %s can do only what its state allows', async (state, known, ...expected) => {
    const { provider, inState, newRefund } = stripe;
    const calls: ((payment: TestPayment) => ReturnType<typeof outcomeOf>)[] = [
      (payment) => outcomeOf(provider.confirm(payment)),
      (payment) => outcomeOf(provider.capture(payment)),
      (payment) => outcomeOf(provider.cancel(payment.transactionId)),
      (payment) => outcomeOf(provider.refund(newRefund(payment))),
    ];
    for (const [at, call] of calls.entries()) {
      const payment = await inState[state]();
      expect(await outcomeOf(provider.lookUp(payment.transactionId))).toBe(known);
      const before = moneyOf(payment);
      const outcome = await call(payment);
      const wanted = expected[at];
      expect(outcome).toBe(wanted);
      const isConfirmed = at === 0 && state === 'unconfirmed';
      const isCaptured = at === 1 && state === 'authorized';
      const isRefunded = at === 3 && state === 'captured';
      expect(moneyOf(payment)).toEqual({
        asked: before.asked + (isConfirmed ? 1 : 0),
        taken: isCaptured ? 1990 : before.taken,
        refunds: isRefunded ? 1 : 0,
      });
      const after = wanted === unknown || wanted === refused || isRefunded ? known : wanted;
      expect(await outcomeOf(provider.lookUp(payment.transactionId))).toBe(after);
    }
  });
});

describe('a request that fails at Stripe', () => {
  interface Case {
    readonly state: State;
    readonly call: (provider: PaymentProvider, payment: TestPayment) => Promise<unknown>;
    readonly isKeyed?: true;
  }
  const cases = {
    create: { state: 'unconfirmed', call: (to, payment) => to.create(payment), isKeyed: true },
    confirm: { state: 'unconfirmed', call: (to, payment) => to.confirm(payment) },
    capture: { state: 'authorized', call: (to, payment) => to.capture(payment) },
    cancel: { state: 'authorized', call: (to, { transactionId }) => to.cancel(transactionId) },
    refund: {
      state: 'captured',
      call: (to, payment) => to.refund(stripe.newRefund(payment)),
      isKeyed: true,
    },
    lookUp: { state: 'authorized', call: (to, { transactionId }) => to.lookUp(transactionId) },
    refundsOf: { state: 'captured', call: (to, { transactionId }) => to.refundsOf(transactionId) },
    disputesOf: {
      state: 'captured',
      call: (to, { transactionId }) => to.disputesOf(transactionId),
    },
  } satisfies Record<string, Case>;
  type Name = keyof typeof cases;
  const names = Object.keys(cases) as Name[];
  const isKeyed = (name: Name) => 'isKeyed' in cases[name];

  /** A payment for a call, in the right state. One that is to be created has a new id. */
  async function paymentFor(name: Name): Promise<TestPayment> {
    const payment = await stripe.inState[cases[name].state]();
    return name === 'create' ? { ...payment, ...stripe.newPayment() } : payment;
  }

  /** Calls with other settings, over connections of its own. */
  async function callWith(settings: Partial<StripeSettings>, name: Name, payment: TestPayment) {
    const provider = createStripeProvider({ ...stripe.settings, ...settings });
    try {
      return await cases[name].call(provider, payment).then(() => 'done', kindOf);
    } finally {
      await provider.close();
    }
  }

  /** How a call fails that meets a fault. */
  async function failing(name: Name, fault: Fault) {
    const payment = await paymentFor(name);
    const before = stripe.server.requests.length;
    stripe.server.failNext(fault);
    const thrown = await rejectionOf(cases[name].call(stripe.impatient, payment));
    expect(stripe.server.faultsLeft()).toBe(0);
    // The SDK repeats nothing.
    expect(stripe.server.requests.length - before).toBe(1);
    expect(thrown.message).toMatch(/^Stripe: /);
    return kindOf(thrown);
  }

  it.each(names)('because of a rate limit or a lock was not done: %s', async (name) => {
    expect(await failing(name, '429')).toBe('not done');
    expect(await failing(name, 'lock_timeout')).toBe('not done');
  });

  it.each(names)('without a connection was not done: %s', async (name) => {
    const payment = await paymentFor(name);
    await stripe.server.goDown();
    const refused = await callWith({}, name, payment);
    // Two addresses, IPv4 and IPv6.
    const apiUrl = stripe.server.url.replace('127.0.0.1', 'localhost');
    const refusedTwice = await callWith({ apiUrl }, name, payment);
    await stripe.server.comeUp();
    expect([refused, refusedTwice]).toEqual(['not done', 'not done']);
    const unresolved = await callWith({ apiUrl: 'http://stripe.invalid' }, name, payment);
    expect(unresolved).toBe('not done');
  });

  it.each(names)('without an answer may have been executed: %s', async (name) => {
    for (const fault of ['no response', 'reset', 'done, no response', 'done, reset'] as const) {
      expect(await failing(name, fault)).toBe('unknown');
    }
  });

  it.each(names)('with a fault of Stripe may have been executed: %s', async (name) => {
    for (const fault of ['500', '500 after execution'] as const) {
      expect(await failing(name, fault)).toBe(isKeyed(name) ? 'key used up' : 'unknown');
    }
  });

  it.each(names)('because of its secret key is not done: %s', async (name) => {
    const payment = await paymentFor(name);
    const stranger = await callWith({ secretKey: 'sk_live_of_somebody' }, name, payment);
    expect(stranger).toBe('not done');
    const reader = await callWith({ secretKey: 'rk_test_of_a_reader' }, name, payment);
    const reads = ['lookUp', 'refundsOf', 'disputesOf'];
    expect(reader).toBe(reads.includes(name) ? 'done' : 'not done');
  });

  it('by its time limit takes no longer, also with a second request', async () => {
    const { server, settings, inState } = stripe;
    const timeLimitMs = 1200;
    const provider = createStripeProvider({ ...settings, timeLimitMs });
    const payment = await inState.captured();
    const hold = server.holdNext(/capture$/);
    const startedAtMs = performance.now();
    const failed = failureOf(provider.capture(payment));
    await hold.arrived;
    server.failNextOf(/^GET/, 'no response');
    setTimeout(hold.release, timeLimitMs * 0.8);
    expect(await failed).toBe('unknown');
    expect(server.faultsLeft()).toBe(0);
    const tookMs = performance.now() - startedAtMs;
    expect(tookMs).toBeGreaterThan(timeLimitMs - 10);
    expect(tookMs).toBeLessThan(timeLimitMs * 1.6);
    await provider.close();
  });
});
