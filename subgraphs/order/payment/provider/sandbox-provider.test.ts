import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startPaymentSandbox } from '../../../../dev/payment-sandbox/index.js';
import { eventually } from '../../../../tests/harness/wait.js';
import type { Service } from '../../../shared/runtime/process.js';
import {
  KeyUsedUp,
  NotDone,
  type PaymentProvider,
  type PaymentRef,
  PermanentRefusal,
  type SendPage,
  WebhookRefused,
} from './payment-provider.js';
import { createSandboxProvider } from './sandbox-provider.js';

const webhookSecret = 'the-secret-of-this-test';
const shortMs = 300;

describe('the provider of the payment sandbox', () => {
  let sandbox: Service;
  let provider: PaymentProvider;
  /** with a short time limit, for requests without an answer */
  let impatient: PaymentProvider;
  beforeAll(async () => {
    sandbox = await startPaymentSandbox({
      PORT: '0',
      PAYMENT_SANDBOX_WEBHOOK_URL: 'http://127.0.0.1:9',
      PAYMENT_SANDBOX_WEBHOOK_SECRET: webhookSecret,
    });
    await admin('webhooks', { silent: true });
    provider = createSandboxProvider(sandbox.url, webhookSecret);
    impatient = createSandboxProvider(sandbox.url, webhookSecret, shortMs);
  });
  afterEach(async () => {
    for (const operation of ['confirm', 'capture', 'cancel', 'refund', 'lookUp'] as const) {
      await fault(operation, '500', 0);
    }
    await admin('limits', { requestsPerSecond: null });
    await admin('lag', { ms: 0 });
  });
  afterAll(async () => {
    await Promise.all([provider.close(), impatient.close()]);
    await sandbox.stop();
  });

  async function post(path: string, body: object) {
    const response = await fetch(sandbox.url + path, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }
  const admin = (path: string, body: object = {}) => post(`/admin/${path}`, body);
  const fault = (
    operation: string,
    kind: '500' | '400' | 'silent',
    times = 1,
    isExecuted = false,
  ) => admin('faults', { operation, fault: kind, times, isExecuted });
  const recordOf = async (id: string) =>
    (await fetch(`${sandbox.url}/admin/payments/${id}`)).json();

  function newPayment(method = 'Credit Card', amount = '10.00', currencyCode = 'USD'): PaymentRef {
    const paymentId = randomUUID();
    return { paymentId, transactionId: paymentId, amount, currencyCode, method };
  }
  async function confirmed(method?: string, amount?: string): Promise<PaymentRef> {
    const payment = newPayment(method, amount);
    await provider.confirm(payment);
    return payment;
  }
  async function captured(method?: string, amount?: string): Promise<PaymentRef> {
    const payment = await confirmed(method, amount);
    await provider.capture(payment);
    return payment;
  }
  const refundOf = (
    payment: PaymentRef,
    amount = '4.00',
    refundId = randomUUID(),
    attempt = 0,
  ) => ({
    refundId,
    attempt,
    transactionId: payment.transactionId,
    amount,
    currencyCode: payment.currencyCode,
  });
  const errorOf = (work: Promise<unknown>): Promise<Error> =>
    work.then(
      (value) => new Error(`it succeeded: ${JSON.stringify(value)}`),
      (error: Error) => error,
    );
  /** An error after which the outcome is unknown, with this message. */
  async function expectUnknown(work: Promise<unknown>, message: RegExp) {
    const error = await errorOf(work);
    for (const known of [NotDone, KeyUsedUp, PermanentRefusal]) {
      expect(error).not.toBeInstanceOf(known);
    }
    expect(error.message).toMatch(message);
  }

  it('takes our ids: it creates a payment without a request', async () => {
    const { paymentId, ...rest } = newPayment();
    expect([provider.name, provider.takesOurIds, provider.timeLimitMs]).toEqual([
      'sandbox',
      true,
      8000,
    ]);
    expect(await provider.create({ ...rest, paymentId, attempt: 0 })).toEqual({
      transactionId: paymentId,
      status: 'unconfirmed',
    });
    expect(await provider.lookUp(paymentId)).toMatchObject({ status: 'unconfirmed' });
  });

  const states: Readonly<Record<string, () => Promise<PaymentRef>>> = {
    'is unknown': async () => newPayment(),
    'is authorized': () => confirmed(),
    'is declined': () => confirmed('Empty Account'),
    'requires an action': () => confirmed('Challenge Card'),
    'is pending': () => confirmed('Slow Bank'),
    'is captured': () => captured(),
    'is canceled': async () => {
      const payment = await confirmed();
      await provider.cancel(payment.transactionId);
      return payment;
    },
    'was canceled before it was confirmed': async () => {
      const payment = newPayment();
      await provider.cancel(payment.transactionId);
      return payment;
    },
    lapsed: async () => {
      const payment = await confirmed();
      await admin(`payments/${payment.paymentId}/lapse`);
      return payment;
    },
  };
  const refused = 'refused';
  const unknown = 'unknown outcome';

  it.each([
    // state, then what confirm, lookUp, capture, cancel and refund return
    ['is unknown', 'authorized', 'unconfirmed', refused, 'canceled', refused],
    ['is authorized', 'authorized', 'authorized', 'captured', 'canceled', refused],
    ['is declined', 'declined', 'declined', 'declined', 'canceled', refused],
    [
      'requires an action',
      'actionRequired',
      'actionRequired',
      'actionRequired',
      'canceled',
      refused,
    ],
    ['is pending', 'pending', 'pending', 'pending', unknown, refused],
    ['is captured', 'captured', 'captured', 'captured', 'captured', 'succeeded'],
    ['is canceled', 'canceled', 'canceled', 'canceled', 'canceled', refused],
    ['was canceled before it was confirmed', ...Array(4).fill('canceled'), refused],
    ['lapsed', ...Array(4).fill('canceled'), refused],
  ])(
    'for a payment that %s: confirm %s, look up %s, capture %s, cancel %s, refund %s',
    async (state, ...expected) => {
      const operations = [
        (payment: PaymentRef) => provider.confirm(payment),
        (payment: PaymentRef) => provider.lookUp(payment.transactionId),
        (payment: PaymentRef) => provider.capture(payment),
        (payment: PaymentRef) => provider.cancel(payment.transactionId),
        (payment: PaymentRef) => provider.refund(refundOf(payment)),
      ];
      const results: string[] = [];
      for (const operation of operations) {
        const payment = (await states[state]?.()) as PaymentRef;
        const result = await operation(payment).catch((error: Error) => error);
        if (!(result instanceof Error)) results.push(result.status);
        else results.push(result instanceof PermanentRefusal ? refused : unknown);
        if (!(result instanceof Error) && 'hasLapsed' in result) {
          expect(result.hasLapsed).toBe(state === 'lapsed');
        }
        const has = (await provider.refundsOf(payment.transactionId)).length;
        expect(has).toBe(!(result instanceof Error) && 'refundId' in result ? 1 : 0);
        expect(await provider.disputesOf(payment.transactionId)).toEqual([]);
      }
      expect(results).toEqual(expected);
    },
  );

  it('returns the secret with which the customer acts, and the reason of a decline', async () => {
    const payment = newPayment('Challenge Card');
    const { clientSecret } = await provider.confirm(payment);
    expect(clientSecret).toMatch(/^secret_/);
    const act = `/v1/payments/${payment.paymentId}/act`;
    expect((await post(act, { clientSecret: 'guessed', outcome: 'approve' })).status).toBe(403);
    expect((await post(act, { clientSecret, outcome: 'refuse' })).status).toBe(200);
    expect(await provider.lookUp(payment.transactionId)).toEqual({
      transactionId: payment.paymentId,
      status: 'declined',
      declineCode: 'AUTHENTICATION_FAILED',
      reason: 'the customer refused the payment',
    });
    expect((await post(act, { clientSecret, outcome: 'approve' })).status).toBe(409);
    expect(await provider.confirm(newPayment('Empty Account'))).toMatchObject({
      status: 'declined',
      declineCode: 'INSUFFICIENT_FUNDS',
      reason: 'insufficient funds',
    });
  });

  it('asks nobody twice: of twenty confirmations, repeated after each outcome, one changes the payment', async () => {
    for (const method of ['Credit Card', 'Challenge Card', 'Slow Bank', 'Declined Card']) {
      const payment = newPayment(method);
      const first = await provider.confirm(payment);
      const before = await recordOf(payment.paymentId);
      const repeats = Array.from({ length: 20 }, () => provider.confirm(payment));
      for (const each of await Promise.all(repeats)) expect(each).toEqual(first);
      expect(await recordOf(payment.paymentId)).toEqual(before);
      const again = await post(`/v1/payments/${payment.paymentId}/confirm`, payment);
      expect(again).toMatchObject({ status: 409, body: { code: 'unexpected_state' } });
    }
  });

  it('refuses a confirmation that arrives after the cancellation of an unknown payment', async () => {
    const payment = newPayment();
    expect(await provider.cancel(payment.transactionId)).toMatchObject({ status: 'canceled' });
    expect(await provider.confirm(payment)).toMatchObject({ status: 'canceled' });
    expect(await recordOf(payment.paymentId)).toMatchObject({ status: 'canceled', amount: '0' });
  });

  it('refuses a capture permanently if the bank does, and the payment can be canceled', async () => {
    const payment = await confirmed('Broken Capture');
    const error = await errorOf(provider.capture(payment));
    expect(error).toBeInstanceOf(PermanentRefusal);
    expect(error.message).toContain('the bank withdrew the authorization');
    expect(await provider.cancel(payment.transactionId)).toMatchObject({ status: 'canceled' });
  });

  describe('if the sandbox fails', () => {
    it('reports that nothing was done while it is not reached', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const gone = createSandboxProvider(`http://127.0.0.1:${port}`, webhookSecret);
      const payment = newPayment();
      for (const work of [gone.confirm(payment), gone.lookUp(payment.transactionId)]) {
        expect(await errorOf(work)).toBeInstanceOf(NotDone);
      }
      expect(await errorOf(gone.refund(refundOf(payment)))).toBeInstanceOf(NotDone);
      await gone.close();
    });

    it('reports an unknown outcome for a request without an answer, which may have been done', async () => {
      const payment = newPayment();
      const noAnswer = /no answer within 300 ms/;
      for (const operation of ['confirm', 'capture', 'lookUp'] as const) {
        await fault(operation, 'silent');
        const work =
          operation === 'lookUp'
            ? impatient.lookUp(payment.transactionId)
            : impatient[operation](payment);
        await expectUnknown(work, noAnswer);
      }
      expect(await provider.lookUp(payment.transactionId)).toMatchObject({ status: 'captured' });
      await fault('refund', 'silent');
      const refund = refundOf(payment);
      await expectUnknown(impatient.refund(refund), noAnswer);
      expect(await provider.refund(refund)).toMatchObject({ status: 'succeeded' });
      expect(await provider.refundsOf(payment.transactionId)).toHaveLength(1);
    });

    it.each([
      ['Silent Card', 'confirm'],
      ['Lost Capture', 'capture'],
      ['Lost Refund', 'refund'],
    ])(
      'does what a %s is asked, though the answer to its first %s is lost',
      async (method, lost) => {
        const payment = newPayment(method);
        const refund = refundOf(payment);
        const calls: Record<string, () => Promise<unknown>> = {
          confirm: () => impatient.confirm(payment),
          capture: () => impatient.capture(payment),
          refund: () => impatient.refund(refund),
        };
        for (const [name, call] of Object.entries(calls)) {
          if (name === lost) await expectUnknown(call(), /no answer/);
          await call();
        }
        expect(await recordOf(payment.paymentId)).toMatchObject({
          status: 'captured',
          refunds: [{ refundId: refund.refundId, amount: '4.00', status: 'succeeded' }],
        });
      },
    );

    it('reports an unknown outcome for a fault, and a permanent refusal for a 400', async () => {
      const payment = newPayment();
      for (const isExecuted of [false, true]) {
        await fault('confirm', '500', 1, isExecuted);
        await expectUnknown(provider.confirm(payment), /a fault was set/);
        const { status } = await provider.lookUp(payment.transactionId);
        expect(status).toBe(isExecuted ? 'authorized' : 'unconfirmed');
      }
      for (const operation of ['capture', 'cancel', 'lookUp'] as const) {
        for (const kind of ['500', '400'] as const) {
          await fault(operation, kind);
          const work =
            operation === 'capture'
              ? provider.capture(payment)
              : provider[operation](payment.transactionId);
          if (kind === '500') await expectUnknown(work, /a fault was set/);
          else expect(await errorOf(work)).toBeInstanceOf(PermanentRefusal);
        }
      }
      expect(await provider.lookUp(payment.transactionId)).toMatchObject({ status: 'authorized' });
    });

    it('reports that nothing was done when there are too many requests, and lets the customer act', async () => {
      const payment = await captured();
      const challenge = newPayment('Challenge Card');
      const { clientSecret } = await provider.confirm(challenge);
      await admin('limits', { requestsPerSecond: 0.1 });
      const refund = refundOf(payment);
      const lookUps = Array.from({ length: 30 }, () => errorOf(provider.lookUp(payment.paymentId)));
      const limited = (await Promise.all(lookUps)).filter((error) => error instanceof NotDone);
      expect(limited).toHaveLength(29);
      expect(await errorOf(provider.refund(refund))).toBeInstanceOf(NotDone);
      const act = `/v1/payments/${challenge.paymentId}/act`;
      expect((await post(act, { clientSecret, outcome: 'approve' })).status).toBe(200);
      await admin('limits', { requestsPerSecond: null });
      expect(await provider.refundsOf(payment.transactionId)).toEqual([]);
      // A 429 is not stored under the key.
      expect(await provider.refund(refund)).toMatchObject({ status: 'succeeded' });
    });

    it('does not report a payment as untouched because the look-up after a refused confirmation fails', async () => {
      const payment = await confirmed();
      await admin('limits', { requestsPerSecond: 0.1 });
      await expectUnknown(provider.confirm(payment), /too many requests/);
    });
  });

  describe('refunds', () => {
    it('once per key, and replays the answer', async () => {
      const payment = await captured();
      const refund = refundOf(payment);
      const answers = await Promise.all([1, 2, 3].map(() => provider.refund(refund)));
      expect(answers[0]).toEqual({
        id: expect.stringMatching(/^re_/),
        transactionId: payment.paymentId,
        refundId: refund.refundId,
        amount: '4.00',
        currencyCode: 'USD',
        status: 'succeeded',
      });
      expect(answers).toEqual(Array(3).fill(answers[0]));
      expect(await provider.refundsOf(payment.transactionId)).toEqual([answers[0]]);
      const other = await errorOf(provider.refund({ ...refund, amount: '5.00' }));
      expect(other.message).toContain('used with other parameters');
    });

    it('refuses a second request while the first with its key is in flight, and does not store that', async () => {
      const payment = await captured('Slow Card');
      const refund = refundOf(payment);
      const first = provider.refund(refund);
      await eventually(
        () => provider.refundsOf(payment.transactionId),
        ({ length }) => length === 1,
      );
      const second = await errorOf(provider.refund(refund));
      expect(second).toBeInstanceOf(NotDone);
      expect(second.message).toContain('in flight');
      await first;
      expect(await provider.refund(refund)).toEqual(await first);
      expect(await provider.refundsOf(payment.transactionId)).toHaveLength(1);
    });

    it('replays a fault under its key, and executes the next key', async () => {
      const payment = await captured('Faulty Refund');
      const refund = refundOf(payment);
      for (let n = 0; n < 3; n++) {
        expect(await errorOf(provider.refund(refund))).toBeInstanceOf(KeyUsedUp);
      }
      expect(await provider.refundsOf(payment.transactionId)).toEqual([]);
      expect(await provider.refund({ ...refund, attempt: 1 })).toMatchObject({
        status: 'succeeded',
      });
      expect(await errorOf(provider.refund(refund))).toBeInstanceOf(KeyUsedUp);
      expect(await provider.refundsOf(payment.transactionId)).toHaveLength(1);
    });

    it('may have executed a request that it answered with a fault', async () => {
      const payment = await captured();
      const refund = refundOf(payment);
      await fault('refund', '500', 1, true);
      expect(await errorOf(provider.refund(refund))).toBeInstanceOf(KeyUsedUp);
      expect(await provider.refundsOf(payment.transactionId)).toMatchObject([
        { refundId: refund.refundId, status: 'succeeded' },
      ]);
    });

    it('replays a refusal under its key, though the reason is gone', async () => {
      const payment = await captured();
      const refund = refundOf(payment);
      await fault('refund', '400');
      expect(await errorOf(provider.refund(refund))).toBeInstanceOf(PermanentRefusal);
      expect(await errorOf(provider.refund(refund))).toBeInstanceOf(PermanentRefusal);
      expect(await provider.refund({ ...refund, attempt: 1 })).toMatchObject({
        status: 'succeeded',
      });
    });

    it('never more than the payment; those that failed do not count', async () => {
      const payment = await captured();
      const first = await provider.refund(refundOf(payment, '6.00'));
      const error = await errorOf(provider.refund(refundOf(payment, '4.01')));
      expect(error).toBeInstanceOf(PermanentRefusal);
      expect(error.message).toContain('would exceed the payment');
      await admin(`refunds/${first.id}/finish`, { status: 'failed' });
      expect(await provider.refund(refundOf(payment, '10.00'))).toMatchObject({
        status: 'succeeded',
      });
      expect((await admin(`payments/${payment.paymentId}/refund`, { amount: '0.01' })).status).toBe(
        400,
      );
    });

    it.each([
      ['Pending Refund', 'pending', 'succeeded', undefined],
      ['Failing Refund', 'pending', 'failed', 'expired_or_canceled_card'],
      ['Late Failing Refund', 'succeeded', 'failed', 'expired_or_canceled_card'],
    ])('of a %s is %s, and later %s', async (method, begins, ends, reason) => {
      const payment = await captured(method);
      const refund = refundOf(payment);
      expect(await provider.refund(refund)).toMatchObject({ status: begins });
      const refunds = await eventually(
        () => provider.refundsOf(payment.transactionId),
        ([each]) => each?.status === ends,
      );
      expect(refunds[0]?.reason).toBe(reason);
      // The stored answer is that of the request.
      expect(await provider.refund(refund)).toMatchObject({ status: begins });
    });

    it('ends a pending one, or fails one that succeeded, at the dashboard', async () => {
      const payment = await captured('Pending Refund');
      const refund = refundOf(payment);
      const { id } = await provider.refund(refund);
      const finish = (of: string, status: string, reason?: string) =>
        admin(`refunds/${of}/finish`, { status, reason });
      expect((await finish(refund.refundId, 'succeeded')).status).toBe(200);
      expect((await finish(id, 'succeeded')).status).toBe(409);
      expect((await finish(id, 'failed', 'lost_or_stolen_card')).status).toBe(200);
      expect((await finish(id, 'succeeded')).status).toBe(409);
      expect(await provider.refundsOf(payment.transactionId)).toMatchObject([
        { id, status: 'failed', reason: 'lost_or_stolen_card' },
      ]);
      expect((await finish('re_unknown', 'failed')).status).toBe(404);
    });

    it('made at the dashboard have no id of ours', async () => {
      const payment = await captured();
      await admin(`payments/${payment.paymentId}/refund`, { amount: '2.50' });
      expect(await provider.refundsOf(payment.transactionId)).toMatchObject([
        { refundId: null, amount: '2.50', status: 'succeeded' },
      ]);
    });
  });

  describe('disputes', () => {
    const dispute = (payment: PaymentRef, status: string, more: object = {}) =>
      admin(`payments/${payment.paymentId}/dispute`, { status, ...more });

    it('withdraw the funds while open, refuse refunds, and reinstate the funds when won', async () => {
      const payment = await captured();
      const evidenceDueAt = '2030-01-02T03:04:05.000Z';
      await dispute(payment, 'INQUIRY', { amount: '9.00', reason: 'duplicate', evidenceDueAt });
      const inquiry = {
        id: expect.stringMatching(/^dp_/),
        transactionId: payment.paymentId,
        status: 'INQUIRY',
        amount: '9.00',
        currencyCode: 'USD',
        reason: 'duplicate',
        evidenceDueAt: new Date(evidenceDueAt),
        fundsWithdrawn: false,
        fundsReinstated: false,
      };
      expect(await provider.disputesOf(payment.transactionId)).toEqual([inquiry]);
      await dispute(payment, 'OPEN');
      const open = { ...inquiry, status: 'OPEN', fundsWithdrawn: true };
      expect(await provider.disputesOf(payment.transactionId)).toEqual([open]);
      const error = await errorOf(provider.refund(refundOf(payment)));
      expect(error).toBeInstanceOf(PermanentRefusal);
      expect(error.message).toContain('dispute');
      await dispute(payment, 'WON');
      const won = { ...open, status: 'WON', fundsReinstated: true, evidenceDueAt: null };
      expect(await provider.disputesOf(payment.transactionId)).toEqual([won]);
      expect(await provider.refund(refundOf(payment))).toMatchObject({ status: 'succeeded' });
    });

    it('cannot change once decided, and what is lost is not refunded', async () => {
      const payment = await captured();
      await dispute(payment, 'OPEN', { disputeId: 'dp_one', amount: '7.00' });
      await dispute(payment, 'LOST', { disputeId: 'dp_one' });
      expect((await dispute(payment, 'WON', { disputeId: 'dp_one' })).status).toBe(409);
      expect(await errorOf(provider.refund(refundOf(payment, '3.01')))).toBeInstanceOf(
        PermanentRefusal,
      );
      expect(await provider.refund(refundOf(payment, '3.00'))).toMatchObject({
        status: 'succeeded',
      });
      await dispute(payment, 'INQUIRY', { disputeId: 'dp_two' });
      await dispute(payment, 'CLOSED');
      expect(await provider.disputesOf(payment.transactionId)).toMatchObject([
        { id: 'dp_one', status: 'LOST', fundsWithdrawn: true, fundsReinstated: false },
        { id: 'dp_two', status: 'CLOSED', fundsWithdrawn: false, fundsReinstated: false },
      ]);
      const other = await captured();
      expect((await dispute(other, 'OPEN', { disputeId: 'dp_one' })).status).toBe(400);
      expect((await dispute(await confirmed(), 'OPEN')).status).toBe(409);
    });

    it('are opened by the bank of a Disputed Card after the capture', async () => {
      const payment = await captured('Disputed Card');
      expect(await provider.disputesOf(payment.transactionId)).toEqual([]);
      await eventually(
        () => provider.disputesOf(payment.transactionId),
        ([each]) => each?.status === 'OPEN' && each.amount === '10.00',
      );
    });
  });

  it('can be captured and canceled at the dashboard', async () => {
    const [one, two] = [await confirmed(), await confirmed()];
    expect((await admin(`payments/${one.paymentId}/capture`)).status).toBe(200);
    expect((await admin(`payments/${two.paymentId}/cancel`)).status).toBe(200);
    expect((await admin(`payments/${one.paymentId}/cancel`)).status).toBe(409);
    expect((await admin(`payments/${randomUUID()}/cancel`)).status).toBe(404);
    expect(await provider.lookUp(one.transactionId)).toMatchObject({ status: 'captured' });
    expect(await provider.capture(two)).toMatchObject({ status: 'canceled', hasLapsed: false });
  });

  it.each([
    ['USD', ['0.01', '19.9', '20', '19.900'], ['19.901', '0', '0.00', '-1', '1e2', '', ' 1']],
    ['JPY', ['500', '500.00'], ['500.5', '0.99']],
    ['ISK', ['500.00'], ['500.01']],
    ['UGX', ['500.00'], ['500.10']],
    ['KWD', ['1.23', '1.230', '5'], ['1.234', '1.001']],
    ['USDX', [], ['1.00']],
    ['usd', [], ['1.00']],
    ['ZZZ', [], ['1.00']],
    ['', [], ['1.00']],
  ])('takes amounts of %s: %j, and not %j', async (currencyCode, taken, notTaken) => {
    for (const amount of taken) {
      const payment = newPayment('Credit Card', amount, currencyCode);
      expect(await provider.confirm(payment)).toMatchObject({ status: 'authorized' });
    }
    for (const amount of notTaken) {
      const payment = newPayment('Credit Card', amount, currencyCode);
      expect(await errorOf(provider.confirm(payment))).toBeInstanceOf(PermanentRefusal);
      expect(await provider.lookUp(payment.transactionId)).toMatchObject({ status: 'unconfirmed' });
    }
  });

  describe('lists', () => {
    const all = async <T>(list: AsyncIterable<T>) => {
      const found: T[] = [];
      for await (const each of list) found.push(each);
      return found;
    };
    const later = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));

    it('all payments, refunds and disputes that were created in a period, in pages, oldest first', async () => {
      await captured();
      await later();
      const from = new Date();
      const made: PaymentRef[] = [];
      for (let n = 0; n < 205; n++) made.push(await captured());
      await provider.cancel(newPayment().transactionId);
      const refund = await provider.refund(refundOf(made[7] as PaymentRef));
      await admin(`payments/${made[9]?.paymentId}/dispute`, { status: 'OPEN' });
      await later();
      const period = { from, to: new Date() };
      await later();
      await captured();
      let pages = 0;
      const countPages: SendPage = (request) => {
        pages += 1;
        return request();
      };
      const payments = await all(provider.listPayments(period, countPages));
      expect(pages).toBe(3);
      // One that was canceled before it was confirmed has no amount, and is not listed.
      expect(payments.map(({ paymentId }) => paymentId)).toEqual(
        made.map((each) => each.paymentId),
      );
      expect(payments[7]).toEqual({
        paymentId: made[7]?.paymentId,
        transactionId: made[7]?.paymentId,
        status: 'captured',
        amount: '10.00',
        currencyCode: 'USD',
      });
      expect(await all(provider.listRefunds(period))).toEqual([refund]);
      expect(await all(provider.listDisputes(period))).toEqual(
        await provider.disputesOf(made[9]?.transactionId as string),
      );
      expect(await all(provider.listPayments({ from: new Date(0), to: from }))).not.toEqual([]);
      expect(await all(provider.listPayments({ from: period.to, to: period.to }))).toEqual([]);
    });

    it('lag behind as set, while look-ups by id do not', async () => {
      const from = new Date();
      const payment = await confirmed();
      await later(1500);
      await provider.capture(payment);
      const listed = async () =>
        (await all(provider.listPayments({ from, to: new Date(Date.now() + 1000) }))).map(
          ({ status }) => status,
        );
      expect(await listed()).toEqual(['captured']);
      await admin('lag', { ms: 1000 });
      expect(await listed()).toEqual(['authorized']);
      expect(await provider.lookUp(payment.transactionId)).toMatchObject({ status: 'captured' });
      const refund = await provider.refund(refundOf(payment));
      expect(await provider.refundsOf(payment.transactionId)).toEqual([]);
      await later(1500);
      expect(await provider.refundsOf(payment.transactionId)).toEqual([refund]);
      await admin('lag', { ms: 60_000 });
      expect(await listed()).toEqual([]);
    });

    it.each([
      '',
      'from=x&to=y',
      'from=2026-01-01&to=2026-01-02&limit=101',
      'from=2026-01-01&to=2026-01-02&after=x',
    ])('are refused for the query “%s”', async (query) => {
      expect((await fetch(`${sandbox.url}/v1/payments?${query}`)).status).toBe(400);
    });
  });

  describe('reads webhooks', () => {
    type SignedEvent = readonly [IncomingHttpHeaders, Buffer];
    function signed(event: object, secret = webhookSecret, ageSeconds = 0): SignedEvent {
      const body = JSON.stringify(event);
      const t = Math.floor(Date.now() / 1000) - ageSeconds;
      const hmac = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
      return [{ 'x-sandbox-signature': `t=${t},v1=${hmac}` }, Buffer.from(body)];
    }
    const event = (more: object) => ({
      id: 'evt_1',
      type: 'x',
      data: { id: 'tx', key: 'our id', ...more },
    });

    it.each([
      [{ status: 'captured' }, 'captured'],
      [{ status: 'requires_action', object: 'payment' }, 'actionRequired'],
      [{ status: 'canceled', object: 'payment' }, 'canceled'],
      [{ status: 'a new one', object: 'payment' }, null],
      [{ status: 'failed', object: 'refund', refundId: null }, null],
      [{ status: 'OPEN', object: 'dispute', disputeId: 'dp_1' }, null],
    ])('about %j: the status is %s', (data, status) => {
      expect(provider.parseWebhook(...signed(event(data)))).toEqual({
        eventId: 'evt_1',
        paymentId: 'our id',
        transactionId: 'tx',
        status,
      });
    });

    it('and refuses those that are forged, too old or malformed', () => {
      const valid = event({ status: 'captured' });
      const forged = [
        signed(valid, 'another secret'),
        signed(valid, webhookSecret, 301),
        signed({ id: 'evt_1' }),
        [{}, Buffer.from('{}')] as SignedEvent,
      ];
      for (const each of forged)
        expect(() => provider.parseWebhook(...each)).toThrow(WebhookRefused);
    });
  });
});
