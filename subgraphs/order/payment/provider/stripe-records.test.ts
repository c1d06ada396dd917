import {
  collect,
  failureOf,
  kindOf,
  rejectionOf,
  type StripeSetup,
  startWithProvider,
} from '../../../../tests/harness/stripe/with-provider.js';
import { RateLimited, type SendPage } from './payment-provider.js';

let stripe: StripeSetup;
beforeEach(async () => {
  stripe = await startWithProvider();
});
afterEach(() => stripe.stop());

describe('Stripe refunds', () => {
  it('a part of a payment, with the id of the refund', async () => {
    const { provider, server, captured, newRefund } = stripe;
    const order = newRefund(await captured(), '5.05');
    const refund = await provider.refund(order);
    const { refundId, transactionId } = order;
    const expected = { refundId, transactionId, amount: '5.05', currencyCode: 'USD' };
    expect(refund).toEqual({ id: expect.stringMatching(/^re_/), ...expected, status: 'succeeded' });
    const { key, form } = server.requests.at(-1) as (typeof server.requests)[number];
    expect(key).toBe(`${refundId}:0`);
    expect(Object.fromEntries(form)).toEqual({
      payment_intent: transactionId,
      amount: '505',
      'metadata[refund_id]': refundId,
    });
    expect(await provider.refundsOf(transactionId)).toEqual([refund]);
  });

  it('once for each attempt, also if an answer is lost', async () => {
    const { provider, impatient, server, captured, newRefund } = stripe;
    const order = newRefund(await captured(), '5.05');
    server.failNext('done, no response');
    expect(await failureOf(impatient.refund(order))).toBe('unknown');
    const [refund] = await provider.refundsOf(order.transactionId);
    expect(await provider.refund(order)).toEqual(refund);
    expect(server.refunds.all()).toHaveLength(1);
  });

  it('with the next attempt only, after a fault that it repeats for the key', async () => {
    const { provider, server, captured, newRefund } = stripe;
    const order = newRefund(await captured(), '5.05');
    server.failNext('500');
    expect(await failureOf(provider.refund(order))).toBe('key used up');
    expect(await failureOf(provider.refund(order))).toBe('key used up');
    expect(server.refunds.all()).toEqual([]);
    await provider.refund({ ...order, attempt: 1 });
    expect(server.refunds.all()).toHaveLength(1);
  });

  it('maybe, if it answers a fault: the list of refunds shows it', async () => {
    const { provider, server, captured, newRefund } = stripe;
    const order = newRefund(await captured(), '5.05');
    server.failNext('500 after execution');
    expect(await failureOf(provider.refund(order))).toBe('key used up');
    const [found] = await provider.refundsOf(order.transactionId);
    expect(found).toMatchObject({ refundId: order.refundId, status: 'succeeded' });
  });

  it('not while an earlier request of the attempt is executed', async () => {
    const { provider, server, captured, newRefund } = stripe;
    const order = newRefund(await captured());
    const hold = server.holdNext();
    const first = provider.refund(order);
    await hold.arrived;
    expect(await failureOf(provider.refund(order))).toBe('not done');
    hold.release();
    expect(await provider.refund(order)).toEqual(await first);
  });

  it('at once or later, or not: each status is reported, with the reason of a failure', async () => {
    const { provider, server, captured, newRefund } = stripe;
    const payment = await captured();
    server.newRefunds.status = 'pending';
    const { id } = await provider.refund(newRefund(payment, '1.00'));
    const find = async () => (await provider.refundsOf(payment.transactionId))[0];
    const steps = [
      ['pending', { status: 'pending' }],
      ['requires_action', { status: 'pending' }],
      ['succeeded', { status: 'succeeded' }],
      ['failed', { status: 'failed', reason: 'lost_or_stolen_card' }],
    ] as const;
    for (const [status, shown] of steps) {
      server.settleRefund(id, status, 'lost_or_stolen_card');
      expect(await find()).toMatchObject({ id, ...shown });
    }
    server.newRefunds.status = 'canceled';
    expect(await provider.refund(newRefund(payment, '1.00'))).toMatchObject({
      status: 'failed',
      reason: 'canceled',
    });
    server.newRefunds.status = 'failed';
    expect(await provider.refund(newRefund(payment, '1.00'))).toMatchObject({
      status: 'failed',
      reason: 'declined',
    });
    server.newRefunds.status = 'succeeded';
    // What failed can be refunded again.
    expect(await provider.refund(newRefund(payment))).toMatchObject({ status: 'succeeded' });
  });

  it('never more than was captured, and nothing that is disputed', async () => {
    const { provider, server, captured, newRefund } = stripe;
    const payment = await captured();
    const refusalOf = async (amount: string) => {
      const refusal = await rejectionOf(provider.refund(newRefund(payment, amount)));
      return `${kindOf(refusal)}: ${refusal.message}`;
    };
    server.dashboard.refund(payment.transactionId, 990);
    expect(await refusalOf('10.01')).toMatch(/^refused: Stripe: Refund amount .* is greater/);
    const disputeId = server.openDispute(payment.transactionId);
    expect(await refusalOf('1.00')).toMatch(/^refused: Stripe: .*\(charge_disputed\)$/);
    server.setDispute(disputeId, 'won');
    await provider.refund(newRefund(payment, '10.00'));
    expect(await refusalOf('1.00')).toMatch(/^refused: Stripe: .*\(charge_already_refunded\)$/);
    const refunds = await provider.refundsOf(payment.transactionId);
    expect(refunds.map(({ amount, refundId }) => [amount, refundId !== null])).toEqual([
      ['10.00', true],
      ['9.90', false],
    ]);
  });
});

describe('Stripe reports a dispute', () => {
  it.each([
    ['warning_needs_response', 'INQUIRY', false, false],
    ['warning_under_review', 'INQUIRY', false, false],
    ['warning_closed', 'CLOSED', false, false],
    ['prevented', 'CLOSED', false, false],
    ['needs_response', 'OPEN', true, false],
    ['under_review', 'OPEN', true, false],
    ['won', 'WON', true, true],
    ['lost', 'LOST', true, false],
    ['appeal_needs_response', 'OPEN', true, false],
    ['appeal_under_review', 'OPEN', true, false],
  ] as const)('that is %s as %s', async (status, shown, fundsWithdrawn, fundsReinstated) => {
    const { provider, server, captured } = stripe;
    const { transactionId } = await captured();
    await captured();
    const evidenceDueAt = new Date('2031-02-03T04:05:06Z');
    const given = { status, amount: 500, reason: 'product_not_received', evidenceDueAt };
    const id = server.openDispute(transactionId, given);
    const dispute = {
      id,
      transactionId,
      status: shown,
      amount: '5.00',
      currencyCode: 'USD',
      reason: 'product_not_received',
      evidenceDueAt,
      fundsWithdrawn,
      fundsReinstated,
    };
    expect(await provider.disputesOf(transactionId)).toEqual([dispute]);
    expect(await collect(provider.listDisputes(stripe.periodUntil(60_000)))).toEqual([dispute]);
  });

  it('that changes, and one for which no evidence is accepted', async () => {
    const { provider, server, captured } = stripe;
    const { transactionId } = await captured();
    const id = server.openDispute(transactionId, {
      status: 'warning_needs_response',
      evidenceDueAt: null,
    });
    const shown = async () => (await provider.disputesOf(transactionId))[0];
    expect(await shown()).toMatchObject({ status: 'INQUIRY', evidenceDueAt: null });
    server.setDispute(id, 'needs_response');
    expect(await shown()).toMatchObject({ status: 'OPEN', fundsWithdrawn: true });
    server.setDispute(id, 'won');
    expect(await shown()).toMatchObject({ status: 'WON', fundsReinstated: true });
  });
});

describe('Stripe lists a period', () => {
  it('in pages, with what was not created here', async () => {
    const { provider, server, captured, newRefund, periodUntil } = stripe;
    server.lists.pageMax = 2;
    const payments = [await captured(), await captured(), await captured(), await captured()];
    for (const payment of payments) {
      await provider.refund(newRefund(payment, '1.00'));
      server.openDispute(payment.transactionId);
    }
    const foreign = server.dashboard.charge(700, 'eur');
    server.dashboard.refund(foreign);
    const period = periodUntil(60_000);
    const before = server.requests.length;
    const listed = await collect(provider.listPayments(period));
    expect(listed.map(({ paymentId }) => paymentId)).toEqual([
      null,
      ...payments.map(({ paymentId }) => paymentId).reverse(),
    ]);
    expect(listed[0]).toEqual({
      paymentId: null,
      transactionId: foreign,
      status: 'captured',
      amount: '7.00',
      currencyCode: 'EUR',
    });
    expect(server.requests.length - before).toBe(3);
    const refunds = await collect(provider.listRefunds(period));
    expect(refunds.map(({ refundId }) => refundId === null)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    const disputes = await collect(provider.listDisputes(period));
    expect(disputes.map(({ transactionId }) => transactionId)).toEqual(
      payments.map(({ transactionId }) => transactionId).reverse(),
    );
  });

  it('with all refunds and disputes of a payment, in pages', async () => {
    const { provider, server, captured, newRefund } = stripe;
    server.lists.pageMax = 1;
    const [payment, other] = [await captured(), await captured()];
    await provider.refund(newRefund(other));
    server.openDispute(other.transactionId);
    for (let count = 0; count < 3; count++) await provider.refund(newRefund(payment, '1.00'));
    for (let count = 0; count < 2; count++) server.openDispute(payment.transactionId);
    expect(await provider.refundsOf(payment.transactionId)).toHaveLength(3);
    expect(await provider.disputesOf(payment.transactionId)).toHaveLength(2);
  });

  it('in which each object is in exactly one of two adjacent periods', async () => {
    const { provider, server, captured } = stripe;
    await captured();
    const second = (server.intents.all()[0]?.created ?? 0) * 1000;
    for (const offsetMs of [-1, 0, 1, 500, 999, 1000]) {
      const middle = new Date(second + offsetMs);
      const before = { from: new Date(second - 5000), to: middle };
      const after = { from: middle, to: new Date(second + 5000) };
      const found = [
        await collect(provider.listPayments(before)),
        await collect(provider.listPayments(after)),
      ];
      expect(found.map(({ length }) => length)).toEqual(offsetMs <= 0 ? [0, 1] : [1, 0]);
    }
  });

  it('up to the page that fails', async () => {
    const { provider, server, captured, periodUntil } = stripe;
    server.lists.pageMax = 1;
    await captured();
    await captured();
    const pages = provider.listPayments(periodUntil(60_000))[Symbol.asyncIterator]();
    expect((await pages.next()).done).toBe(false);
    server.failNext('429');
    expect(await failureOf(pages.next())).toBe('not done');
  });

  it('up to the end, if a page that was not done is sent again', async () => {
    const { provider, server, captured, periodUntil } = stripe;
    server.lists.pageMax = 1;
    for (let n = 0; n < 3; n++) await captured();
    const failures: unknown[] = [];
    const repeatOnce: SendPage = (request) =>
      request().catch((error) => {
        failures.push(error);
        return request();
      });
    const objects = provider.listPayments(periodUntil(60_000), repeatOnce);
    let count = 0;
    for await (const _ of objects) {
      if (++count === 1) server.failNext('429');
    }
    expect(count).toBe(3);
    expect(failures).toEqual([expect.any(RateLimited)]);
  });

  it('never by a search', async () => {
    const { provider, server, captured, newRefund, periodUntil } = stripe;
    const payment = await captured();
    await provider.refund(newRefund(payment));
    await collect(provider.listPayments(periodUntil(0)));
    expect(server.requests.filter(({ path }) => path.includes('search'))).toEqual([]);
  });
});
