import { jest } from '@jest/globals';
import {
  type FakePaymentProvider,
  fakePaymentProvider,
} from '../../../../tests/harness/fake-payment-provider.js';
import { createLogger } from '../../../shared/observability/logger.js';
import { Registry } from '../../../shared/observability/metrics.js';
import { budgeted } from './budgeted-provider.js';
import {
  AccessRefused,
  Declined,
  KeyUsedUp,
  NotCancelable,
  NotDone,
  type PaymentProvider,
  PermanentRefusal,
  RateLimited,
  UnknownMethod,
  Unreached,
} from './payment-provider.js';
import { CircuitOpen } from './provider-breaker.js';
import { OverBudget } from './request-bucket.js';

const failuresMax = 10;
const circuitOpenMinMs = 2000;
const circuitOpenMaxMs = 6000;
const logger = createLogger('test', 'silent');
const noAnswer = () => new Error('no answer');
const answers: [string, () => Error][] = [
  ['refused', () => new PermanentRefusal('no such payment')],
  ['access refused', () => new AccessRefused('no permission', 'http_403')],
  ['declined', () => new Declined('no money', 'INSUFFICIENT_FUNDS')],
  ['unknown method', () => new UnknownMethod('no such card')],
  ['not done', () => new NotDone('locked')],
  ['too many requests', () => new RateLimited('429')],
  ['not cancelable yet', () => new NotCancelable('pending')],
];

describe('a provider that fails', () => {
  let fake: FakePaymentProvider;
  let registry: Registry;
  beforeEach(() => {
    jest.useFakeTimers();
    // The shortest time for which the circuit is open.
    jest.spyOn(Math, 'random').mockReturnValue(0);
    fake = fakePaymentProvider({ timeLimitMs: 8000 });
    registry = new Registry();
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  const withBudget = (requestsPerSecond: number) =>
    budgeted(fake.provider, { requestsPerSecond, registry, logger });
  const payment = (n: number) => ({
    ...{ paymentId: `p${n}`, transactionId: `tx-p${n}`, amount: '1.00', currencyCode: 'USD' },
    method: 'card',
  });
  const endOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'done',
      (error: Error) => error,
    );
  const readingOf = async (name: string) =>
    (await registry.getSingleMetric(name)?.get())?.values ?? [];
  const circuit = async () => (await readingOf('holdfast_payment_provider_circuit_open'))[0]?.value;

  /** Makes calls that fail in turn. @returns how many were sent */
  async function failWith(provider: PaymentProvider, times: number, newError: () => Error) {
    const before = fake.calls.length;
    for (let n = 0; n < times; n++) {
      fake.faults.cancel = [newError()];
      await endOf(provider.cancel('tx-p1'));
    }
    fake.faults.cancel = [];
    return fake.calls.length - before;
  }

  it.each([
    ['does not answer', noAnswer],
    ['is not reached', () => new Unreached('ECONNREFUSED')],
    ['has a fault', () => new KeyUsedUp('500')],
  ])('ten times in a row because it %s is not called', async (_, newError) => {
    const provider = withBudget(0);
    expect(await failWith(provider, failuresMax + 2, newError)).toBe(failuresMax);
    expect(await circuit()).toBe(1);
    const sent = fake.calls.length;
    expect(await endOf(provider.capture(payment(1)))).toBeInstanceOf(NotDone);
    expect(fake.calls).toHaveLength(sent);
  });

  it('is tested by one call after 2 to 6 s, and called again once that is answered', async () => {
    const provider = withBudget(0);
    await failWith(provider, failuresMax, noAnswer);
    await jest.advanceTimersByTimeAsync(circuitOpenMinMs - 100);
    expect(await failWith(provider, 1, noAnswer)).toBe(0);
    jest.spyOn(Math, 'random').mockReturnValue(1);
    await jest.advanceTimersByTimeAsync(200);
    expect(await failWith(provider, 2, noAnswer)).toBe(1);
    expect(await circuit()).toBe(1);
    await jest.advanceTimersByTimeAsync(circuitOpenMaxMs - 100);
    expect(await failWith(provider, 1, noAnswer)).toBe(0);
    await jest.advanceTimersByTimeAsync(200);
    const sent = fake.calls.length;
    const ended = await Promise.all([1, 2, 3].map((n) => endOf(provider.lookUp(`tx-p${n}`))));
    expect(ended.filter((each) => each instanceof NotDone)).toHaveLength(2);
    expect(fake.calls).toHaveLength(sent + 1);
    expect(await circuit()).toBe(0);
    expect((await provider.lookUp('tx-p1')).status).toBe('unconfirmed');
  });

  it.each(answers)('is called as before if what it answers is: %s', async (_, newError) => {
    const provider = withBudget(0);
    expect(await failWith(provider, 3 * failuresMax, newError)).toBe(3 * failuresMax);
    expect(await circuit()).toBe(0);
  });

  it.each(answers)('has answered if what it answers is: %s', async (_, newError) => {
    const provider = withBudget(0);
    for (let round = 0; round < 3; round++) {
      await failWith(provider, failuresMax - 1, noAnswer);
      await failWith(provider, 1, newError);
    }
    expect(await circuit()).toBe(0);
    await failWith(provider, failuresMax, noAnswer);
    expect(await circuit()).toBe(1);
    await jest.advanceTimersByTimeAsync(circuitOpenMinMs);
    await failWith(provider, 1, newError);
    expect(await circuit()).toBe(0);
  });

  it('now and then is called as before', async () => {
    const provider = withBudget(0);
    for (let round = 0; round < 5; round++) {
      await failWith(provider, failuresMax - 1, noAnswer);
      await provider.lookUp('tx-p1');
    }
    expect(await circuit()).toBe(0);
  });

  it('gets none of the calls that were waiting for the budget when the circuit opened', async () => {
    const provider = withBudget(10);
    for (let n = 0; n < 10; n++) await provider.capture(payment(n));
    const waiting = [1, 2, 3].map((n) => endOf(provider.capture(payment(n))));
    fake.faults.lookUp = Array.from({ length: failuresMax }, noAnswer);
    for (let n = 0; n < failuresMax; n++) await endOf(provider.lookUp('tx-p1'));
    expect(await circuit()).toBe(1);
    const sent = fake.calls.length;
    await jest.advanceTimersByTimeAsync(1000);
    for (const end of await Promise.all(waiting)) expect(end).toBeInstanceOf(CircuitOpen);
    expect(fake.calls).toHaveLength(sent);
  });

  it('refuses calls at once while the circuit is open, also if the budget is used up', async () => {
    const provider = withBudget(10);
    await failWith(provider, failuresMax, noAnswer);
    expect(await endOf(provider.cancel('tx-p1'))).toBeInstanceOf(CircuitOpen);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is not tested by a call that the budget refuses', async () => {
    // One request in 20 s: a second one is refused at once.
    const provider = withBudget(0.05);
    for (let n = 0; n < failuresMax; n++) {
      await jest.advanceTimersByTimeAsync(20_000);
      await failWith(provider, 1, noAnswer);
    }
    await jest.advanceTimersByTimeAsync(circuitOpenMinMs);
    expect(await endOf(provider.cancel('tx-p1'))).toBeInstanceOf(OverBudget);
    expect(await circuit()).toBe(1);
    const sent = fake.calls.length;
    await provider.lookUp('tx-p1');
    expect(fake.calls).toHaveLength(sent + 1);
    expect(await circuit()).toBe(0);
  });

  it('is tested by the first call that the budget allows, not by one that waits for it', async () => {
    const provider = withBudget(0.2);
    for (let n = 1; n < failuresMax; n++) {
      await failWith(provider, 1, noAnswer);
      await jest.advanceTimersByTimeAsync(5000);
    }
    fake.faults.lookUp = [noAnswer()];
    await endOf(provider.lookUp('tx-p1'));
    expect(await circuit()).toBe(1);
    await jest.advanceTimersByTimeAsync(circuitOpenMinMs);
    const inBackground = provider.disputesOf('tx-p1');
    expect((await provider.confirm(payment(1))).status).toBe('authorized');
    expect(await circuit()).toBe(0);
    await jest.advanceTimersByTimeAsync(5000);
    expect(await inBackground).toEqual([]);
  });

  it('is counted by method and outcome', async () => {
    const provider = withBudget(0);
    await failWith(provider, 1, () => new PermanentRefusal('refused'));
    await failWith(provider, 1, () => new NotDone('locked'));
    await failWith(provider, failuresMax - 1, noAnswer);
    await failWith(provider, 2, () => new Unreached('ECONNREFUSED'));
    await provider.lookUp('tx-p1').catch(() => {});
    const counts = (await readingOf('holdfast_payment_provider_requests_total')).map(
      ({ labels, value }) => [labels.method, labels.outcome, value],
    );
    expect(counts).toEqual([
      ['cancel', 'refused', 1],
      ['cancel', 'notDone', 2],
      ['cancel', 'failed', 9],
      ['cancel', 'circuitOpen', 1],
      ['lookUp', 'circuitOpen', 1],
    ]);
  });
});
