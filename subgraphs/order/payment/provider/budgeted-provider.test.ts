import { jest } from '@jest/globals';
import {
  type FakePaymentProvider,
  fakePaymentProvider,
} from '../../../../tests/harness/fake-payment-provider.js';
import { createLogger } from '../../../shared/observability/logger.js';
import { Registry } from '../../../shared/observability/metrics.js';
import { budgeted } from './budgeted-provider.js';
import {
  NotDone,
  type PaymentProvider,
  type PaymentRef,
  type Period,
  RateLimited,
  type SendPage,
  sendAtOnce,
} from './payment-provider.js';

const timeLimitMs = 8000;
const logger = createLogger('test', 'silent');

describe('a provider with a budget', () => {
  let fake: FakePaymentProvider;
  let registry: Registry;
  beforeEach(() => {
    jest.useFakeTimers();
    fake = fakePaymentProvider({ timeLimitMs });
    registry = new Registry();
  });
  afterEach(() => jest.useRealTimers());

  const withBudget = (requestsPerSecond: number) =>
    budgeted(fake.provider, { requestsPerSecond, registry, logger });
  const payment = (n: number): PaymentRef => ({
    ...{ paymentId: `p${n}`, transactionId: `tx-p${n}`, amount: '1.00', currencyCode: 'USD' },
    method: 'card',
  });
  /** What a promise ended with, once the time allows it. */
  const outcomeOf = async (promise: Promise<unknown>) => {
    const outcome = promise.then(
      () => 'done',
      (error: Error) => error,
    );
    await jest.advanceTimersByTimeAsync(timeLimitMs);
    return outcome;
  };
  const readingOf = async (name: string) =>
    (await registry.getSingleMetric(name)?.get())?.values ?? [];

  it('of 100 requests a second executes 500 payments that begin at once, and declines none', async () => {
    const provider = withBudget(100);
    const startedAtMs = performance.now();
    const pay = async (n: number) => {
      const ref = payment(n);
      await provider.create({ ...ref, attempt: 0 });
      await provider.confirm(ref);
      return (await provider.capture(ref)).status;
    };
    const paid = Promise.all(Array.from({ length: 500 }, (_, n) => pay(n)));
    while (fake.calls.length < 1500) {
      await jest.advanceTimersByTimeAsync(500);
      const elapsedSeconds = (performance.now() - startedAtMs) / 1000;
      expect(fake.calls.length).toBeLessThanOrEqual(100 + 100 * elapsedSeconds);
      expect(elapsedSeconds).toBeLessThan(16);
    }
    expect(new Set(await paid)).toEqual(new Set(['captured']));
  });

  it('does not confirm a payment whose order ended while the call waited', async () => {
    const provider = withBudget(1);
    let isWanted = true;
    const confirm = (n: number) =>
      provider.confirm({ ...payment(n), isWanted: async () => isWanted });
    await provider.create({ ...payment(1), attempt: 0 });
    const outcome = outcomeOf(confirm(1));
    isWanted = false;
    expect(await outcome).toBeInstanceOf(NotDone);
    expect(fake.calls).toEqual(['create p1:0']);
  });

  it('gives a call that waited the rest of its time limit', async () => {
    const given: (number | undefined)[] = [];
    const { capture } = fake.provider;
    const recording: PaymentProvider['capture'] = (ref, withinMs) => {
      given.push(withinMs);
      return capture(ref);
    };
    Object.assign(fake.provider, { capture: recording });
    const provider = withBudget(1);
    const both = Promise.all([provider.capture(payment(1)), provider.capture(payment(2))]);
    await jest.advanceTimersByTimeAsync(1001);
    await both;
    expect(given).toEqual([undefined, expect.closeTo(timeLimitMs - 1000, -1)]);
    const [waited] = (await readingOf('holdfast_payment_provider_budget_wait_seconds')).slice(-1);
    expect(waited?.value).toBe(1);
  });

  it('does not send a call for which too little of its time limit would be left', async () => {
    const provider = withBudget(1);
    const calls = Array.from({ length: 8 }, (_, n) => provider.confirm(payment(n)));
    const ended = await Promise.all(calls.map(outcomeOf));
    // One at once, and six that waited for 1 to 6 s.
    expect(ended.map((each) => each === 'done')).toEqual([...Array(7).fill(true), false]);
    expect(ended.at(-1)).toBeInstanceOf(NotDone);
    expect(fake.calls).toHaveLength(7);
  });

  it('has separate budgets for reads and writes', async () => {
    const provider = withBudget(1);
    await provider.confirm(payment(1));
    await provider.lookUp('tx-p1');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('delays refunds, disputes and lists for readers that wait', async () => {
    const provider = withBudget(4);
    for (let n = 0; n < 3; n++) await provider.refundsOf('tx-p1');
    await provider.lookUp('tx-p1');
    const background = provider.disputesOf('tx-p1');
    const reader = provider.lookUp('tx-p2');
    await jest.advanceTimersByTimeAsync(600);
    await Promise.all([background, reader]);
    expect(fake.calls.slice(-2)).toEqual(['lookUp tx-p2', 'disputesOf tx-p1']);
  });

  const period = { from: new Date(0), to: new Date(1) };
  /** Lists of three pages, of which the first has nothing that is ours. */
  function listPages() {
    async function* listPayments(_: Period, sendPage: SendPage = sendAtOnce) {
      for (const [page, ids] of [[], ['a', 'b'], ['c']].entries()) {
        await sendPage(() => fake.provider.lookUp(`page ${page}`));
        yield* ids;
      }
    }
    Object.assign(fake.provider, { listPayments });
  }
  async function collect<T>(objects: AsyncIterable<T>): Promise<T[]> {
    const all: T[] = [];
    for await (const each of objects) all.push(each);
    return all;
  }

  it('counts each page of a list, whatever is in it', async () => {
    listPages();
    const listed = collect(withBudget(2).listPayments(period));
    await jest.advanceTimersByTimeAsync(1);
    expect(fake.calls).toEqual(['lookUp page 0', 'lookUp page 1']);
    await jest.advanceTimersByTimeAsync(500);
    expect(await listed).toEqual(['a', 'b', 'c']);
    expect(await readingOf('holdfast_payment_provider_requests_total')).toEqual([
      { labels: { provider: 'fake', method: 'listPayments', outcome: 'ok' }, value: 3 },
    ]);
  });

  it('lets its caller repeat a page that was not done, and counts it again', async () => {
    listPages();
    fake.faults.lookUp = [new RateLimited('429')];
    const repeatOnce: SendPage = (request) => request().catch(() => request());
    const listed = collect(withBudget(2).listPayments(period, repeatOnce));
    await jest.advanceTimersByTimeAsync(2500);
    expect(await listed).toEqual(['a', 'b', 'c']);
    const pages = fake.calls.map((each) => each.split(' ').at(-1));
    expect(pages).toEqual(['0', '0', '1', '2']);
    const counted = await readingOf('holdfast_payment_provider_requests_total');
    expect(counted.map(({ labels, value }) => [labels.outcome, value])).toEqual([
      ['notDone', 1],
      ['ok', 3],
    ]);
  });

  it('pauses after a 429, which is not done', async () => {
    const provider = withBudget(100);
    fake.faults.confirm = [new RateLimited('429')];
    expect(await outcomeOfNow(provider.confirm(payment(1)))).toBeInstanceOf(NotDone);
    const next = provider.confirm(payment(2));
    await jest.advanceTimersByTimeAsync(249);
    expect(fake.calls).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(520);
    expect((await next).status).toBe('authorized');
  });
  const outcomeOfNow = (promise: Promise<unknown>) => promise.catch((error: Error) => error);

  it('without a limit calls at once, with no timer', async () => {
    const provider = withBudget(0);
    await Promise.all(Array.from({ length: 1000 }, (_, n) => provider.confirm(payment(n))));
    expect(fake.calls).toHaveLength(1000);
    expect(jest.getTimerCount()).toBe(0);
  });
});
