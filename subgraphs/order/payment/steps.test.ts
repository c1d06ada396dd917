import { jest } from '@jest/globals';
import { openPaymentSteps, type PaymentSteps } from '../../../tests/harness/payment-steps.js';
import { newId } from '../../shared/ids.js';
import { providerGauges } from '../metrics.js';
import { advancePayment, authorizeAndAdvance, finishPayment } from './advance-payment.js';
import { authorize } from './authorize.js';
import { beginPayment } from './begin-payment.js';
import { commitAndCapture } from './commit-and-capture.js';
import { followSettled } from './follow-settled.js';
import {
  AccessRefused,
  Declined,
  KeyUsedUp,
  NotDone,
  PermanentRefusal,
  UnknownMethod,
} from './provider/payment-provider.js';
import { recoverPayments } from './recover-payments.js';
import { sendRefunds } from './refund/send-refunds.js';
import { settlePending } from './settle-pending.js';
import type { Payment } from './state/payment.js';
import { PaymentStatus } from './state/status.js';
import { closeAtProvider, voidPayment } from './void-payment.js';

const statuses = Object.keys(PaymentStatus) as PaymentStatus[];
const noAnswer = () => new Error('no answer');

describe('a step of a payment', () => {
  let steps: PaymentSteps;
  beforeAll(async () => {
    steps = await openPaymentSteps();
  });
  afterEach(() => {
    steps.fake.calls.length = 0;
    for (const faults of [steps.fake.faults, steps.fake.lostAnswers]) {
      for (const name of Object.keys(faults)) delete faults[name as keyof typeof faults];
    }
  });
  afterAll(() => steps.close());

  const begin = async (orderId: string, endsOrder = false) => {
    const key = { customerId: orderId, id: newId() };
    const request = { ...key, orderId, method: 'pm_card', endsOrder };
    const begun = await beginPayment(steps.app, request);
    return begun.kind === 'begun' ? { ...begun, id: begun.payment.id } : null;
  };
  type Begun = Awaited<ReturnType<typeof begin>>;
  const advance = async (begun: Begun) =>
    (await authorizeAndAdvance(steps.app, begun?.payment as Payment)).payment;
  const confirms = () => steps.fake.calls.filter((each) => each.startsWith('confirm'));
  const cancelOrder = (orderId: string) =>
    steps.rows(
      `update customer_order set status = 'CANCELLED', cancel_reason = 'BY_CUSTOMER' where id = $1`,
      [orderId],
    );

  it('creates, confirms, commits and captures, in this sequence', async () => {
    const order = await steps.newOrder();
    const begun = await begin(order.orderId);
    const payment = await advance(begun);
    expect(payment.status).toBe('COMPLETED');
    const tx = `tx-${payment.id}`;
    expect(steps.fake.calls).toEqual([`create ${payment.id}:0`, `confirm ${tx}`, `capture ${tx}`]);
    expect(await steps.orderOf(order.orderId)).toEqual({ status: 'CONFIRMED', reason: null });
    expect(await steps.historyOf(order.orderId)).toEqual([
      'PAYMENT_BEGUN pm_card',
      'PAYMENT_AUTHORIZED',
      'PAYMENT_COMPLETED',
      'CONFIRMED',
    ]);
  });

  it.each([
    ['create', null],
    ['confirm', 'own'],
  ] as const)(
    'that gets the transaction of another payment from %s does not store it, and logs an error',
    async (method, stored) => {
      const other = await steps.newPayment(await steps.newOrder());
      const transactionId = other.providerTransactionId as string;
      const begun = await begin((await steps.newOrder()).orderId);
      const id = begun?.id as string;
      const logged = jest.spyOn(steps.app.logger, 'error');
      const answer = { transactionId, status: 'authorized' } as const;
      const provider = jest.spyOn(steps.fake.provider, method).mockResolvedValue(answer);
      await advance(begun);
      provider.mockRestore();
      expect(logged.mock.calls).toEqual([
        [
          expect.objectContaining({ paymentId: id }),
          'provider answered with the transaction of another payment',
        ],
      ]);
      logged.mockRestore();
      expect(await steps.read(id)).toMatchObject({
        status: 'PENDING',
        providerTransactionId: stored && `tx-${id}`,
      });
      expect(steps.fake.calls.filter((call) => call.endsWith(transactionId))).toEqual([]);
      expect(
        await steps.rows(
          'select payment_id as id from provider_transaction where provider_transaction_id = $1',
          [transactionId],
        ),
      ).toEqual([{ id: other.id }]);
    },
  );

  it('has the confirmation ask whether its order still waits for the money', async () => {
    const { orderId } = await steps.newOrder();
    const begun = await begin(orderId);
    const { confirm } = steps.fake.provider;
    const wanted: (boolean | undefined)[] = [];
    steps.fake.provider.confirm = async (payment) => {
      wanted.push(await payment.isWanted?.());
      await cancelOrder(orderId);
      wanted.push(await payment.isWanted?.());
      throw new NotDone('it is no longer wanted');
    };
    expect(await advance(begun)).toMatchObject({ status: 'FAILED', failure: 'NOT_CHARGED' });
    steps.fake.provider.confirm = confirm;
    expect(wanted).toEqual([true, false]);
  });

  it.each(['actionRequired', 'canceled'] as const)(
    'ends a checkout that pays at once after a decline that a webhook reported, though the provider shows %s',
    async (status) => {
      const order = await steps.newOrder();
      const payment = await steps.newPayment(order, 'PENDING', { endsOrder: true });
      const transactionId = payment.providerTransactionId as string;
      steps.fake.statuses.set(transactionId, status);
      await steps.rows(
        'update payment set declined_at = now(), next_attempt_at = now() where id = $1',
        [payment.id],
      );
      await recoverPayments(steps.app);
      await recoverPayments(steps.app);
      expect(await steps.read(payment.id)).toMatchObject({ status: 'FAILED', failure: 'DECLINED' });
      expect(await steps.orderOf(order.orderId)).toEqual({
        status: 'CANCELLED',
        reason: 'PAYMENT_FAILED',
      });
      expect(steps.fake.statuses.get(transactionId)).toBe('canceled');
    },
  );

  it('is not begun for an order whose hold ends before the provider has to answer', async () => {
    const { orderId } = await steps.newOrder({ holdMs: 900 });
    expect(await begin(orderId)).toBeNull();
  });

  it('confirms nothing if the order ended, or its hold got too short, while it was created', async () => {
    for (const change of [
      `status = 'CANCELLED', cancel_reason = 'BY_CUSTOMER'`,
      `expires_at = now() + interval '0.9 s'`,
    ]) {
      const { orderId } = await steps.newOrder();
      const begun = await begin(orderId);
      await steps.rows(`update customer_order set ${change} where id = $1`, [orderId]);
      const payment = await advance(begun);
      expect(payment).toMatchObject({ status: 'FAILED', failure: 'ORDER_ENDED' });
      expect(confirms()).toEqual([]);
      await finishPayment(steps.app, payment);
      expect(steps.fake.statuses.get(`tx-${payment.id}`)).toBe('canceled');
    }
  });

  it('replaces a key that the provider used up for a fault, and keeps it where nothing was done', async () => {
    const { orderId } = await steps.newOrder();
    steps.fake.faults.create = [new KeyUsedUp(), new NotDone()];
    const begun = await begin(orderId);
    await advance(begun);
    const creates = steps.fake.calls.filter((each) => each.startsWith('create'));
    expect(creates).toEqual([0, 1, 1].map((attempt) => `create ${begun?.id}:${attempt}`));
  });

  it.each([
    ['the creation gets no answer', 'create', noAnswer()],
    ['the provider is not reached', 'confirm', new NotDone()],
  ] as const)(
    'charges nothing if %s: the order can be paid again at once',
    async (_, call, error) => {
      const { orderId } = await steps.newOrder();
      steps.fake.faults[call] = [error];
      const begun = await begin(orderId);
      const failed = await advance(begun);
      expect(failed).toMatchObject({ status: 'FAILED', failure: 'NOT_CHARGED' });
      const again = await begin(orderId);
      expect(again).toMatchObject({ isNew: true });
      expect((await advance(again)).status).toBe('COMPLETED');
    },
  );

  it('of a checkout that charged nothing can be repeated; a declined one cancels the order', async () => {
    const { orderId } = await steps.newOrder();
    steps.fake.faults.confirm = [new NotDone()];
    const first = await begin(orderId, true);
    expect(await advance(first)).toMatchObject({
      failure: 'NOT_CHARGED',
    });
    expect(await steps.orderOf(orderId)).toMatchObject({ status: 'PENDING' });
    steps.fake.faults.confirm = [new Declined('Too poor.', 'INSUFFICIENT_FUNDS')];
    const second = await begin(orderId, true);
    expect(second?.isNew).toBe(true);
    expect(await advance(second)).toMatchObject({
      ...{ failure: 'DECLINED', declineReason: 'Too poor.', declineCode: 'INSUFFICIENT_FUNDS' },
    });
    expect(await steps.orderOf(orderId)).toEqual({ status: 'CANCELLED', reason: 'PAYMENT_FAILED' });
    expect(await begin(orderId, true)).toMatchObject({ id: second?.id, isNew: false });
    // Customers never see the provider’s words.
    expect(await steps.historyOf(orderId)).toContain('PAYMENT_FAILED INSUFFICIENT_FUNDS');
    expect((await steps.historyOf(orderId)).join()).not.toContain('poor');
  });

  it('that names an unknown method has failed, and cancels the order of a checkout', async () => {
    for (const endsOrder of [false, true]) {
      const { orderId } = await steps.newOrder();
      steps.fake.faults.create = [new UnknownMethod('No such PaymentMethod')];
      const begun = await begin(orderId, endsOrder);
      expect(await advance(begun)).toMatchObject({
        ...{ status: 'FAILED', failure: 'UNKNOWN_METHOD' },
      });
      const { status } = (await steps.orderOf(orderId)) as { status: string };
      expect(status).toBe(endsOrder ? 'CANCELLED' : 'PENDING');
      // It counts as an attempt, and a checkout gets it again.
      const again = await begin(orderId, endsOrder);
      expect(again?.isNew).toBe(!endsOrder);
    }
  });

  it.each([
    ['create', new PermanentRefusal('Received unknown parameter', 'parameter_unknown')],
    ['create', new PermanentRefusal('Amount must be at least 50', 'amount_too_small')],
    ['create', new AccessRefused('Invalid API Key', 'http_401')],
    ['confirm', new AccessRefused('No permission', 'http_403')],
    ['confirm', new PermanentRefusal('No.', 'A sentence, not a code.')],
  ] as const)(
    'that the provider refuses at its %s without declining it keeps the order, and is counted: %s',
    async (call, error) => {
      const { orderId } = await steps.newOrder();
      steps.fake.faults[call] = [error];
      const before = await steps.faults();
      const begun = await begin(orderId, true);
      expect(await advance(begun)).toMatchObject({
        ...{ status: 'FAILED', failure: 'NOT_CHARGED', declineCode: null },
      });
      expect(steps.fake.calls.filter((each) => each.startsWith(call))).toHaveLength(1);
      expect(await steps.orderOf(orderId)).toMatchObject({ status: 'PENDING' });
      const code = error.code.includes(' ') ? 'other' : error.code;
      expect(await steps.faults()).toEqual({ ...before, [code]: (before[code] ?? 0) + 1 });
      const again = await begin(orderId, true);
      expect((await advance(again)).status).toBe('COMPLETED');
    },
  );

  it('whose capture the provider refuses for our key is captured later: the sale stays', async () => {
    const order = await steps.newOrder();
    const begun = await begin(order.orderId);
    steps.fake.faults.capture = [new AccessRefused('No permission', 'http_403')];
    const waiting = await advance(begun);
    expect(waiting.status).toBe('AUTHORIZED');
    expect((await finishPayment(steps.app, await steps.read(waiting.id))).status).toBe('COMPLETED');
  });

  describe('of a provider that is not configured', () => {
    const newRefund = (paymentId: string) =>
      steps.rows(
        `insert into refund (customer_id, id, payment_id, amount, reason)
         select customer_id, $1, id, 10, 'test' from payment where id = $2`,
        [newId(), paymentId],
      );
    const dueNow = (id: string) =>
      steps.rows(`update payment set next_attempt_at = now() - interval '5 s' where id = $1`, [id]);

    it('is claimed by no worker, and those of others are', async () => {
      // More than a batch, and due for longer than the one of a configured provider.
      const away = [];
      for (let n = 0; n < 17; n++) {
        const order = await steps.newOrder();
        const payment = await steps.newPayment(order, 'COMPLETED', { provider: 'gone' });
        await dueNow(payment.id);
        await newRefund(payment.id);
        away.push(payment.id);
      }
      const ours = await steps.newPayment(await steps.newOrder(), 'COMPLETED');
      steps.fake.statuses.set(ours.providerTransactionId as string, 'captured');
      await steps.rows('update payment set next_attempt_at = now() where id = $1', [ours.id]);
      await newRefund(ours.id);
      expect(await recoverPayments(steps.app)).toBe(1);
      expect(await sendRefunds(steps.app)).toBe(1);
      expect((await steps.refundsOf(ours.id)).map(({ status }) => status)).toEqual(['COMPLETED']);
      for (const id of away) {
        expect(await steps.read(id)).toMatchObject({ attempts: 0, status: 'COMPLETED' });
        expect((await steps.refundsOf(id)).map(({ status }) => status)).toEqual(['PENDING']);
      }
      const values = { em: steps.app.orm.em.fork(), app: steps.app };
      const gauge = providerGauges.find(({ name }) => name.endsWith('without_provider'));
      expect(await gauge?.read(values)).toBe(2 * away.length);
    });

    it('stays as it is when somebody looks at it', async () => {
      const payment = await steps.newPayment(await steps.newOrder(), 'AUTHORIZED', {
        provider: 'gone',
      });
      const advanced = await advancePayment(steps.app, payment);
      expect(advanced.payment).toMatchObject({ status: 'AUTHORIZED' });
      expect(() => steps.app.providers.of('gone')).toThrow(
        'payment provider gone is not configured',
      );
    });
  });

  describe('by a worker', () => {
    it('never confirms: it cancels a payment whose process stopped before its confirmation', async () => {
      const order = await steps.newOrder();
      for (const transactionId of [null, `tx-${newId()}`]) {
        const payment = await steps.newPayment(order, 'PENDING', { transactionId });
        expect(await finishPayment(steps.app, payment)).toMatchObject({
          ...{ status: 'FAILED', failure: 'NOT_CHARGED' },
        });
        expect(confirms()).toEqual([]);
        if (transactionId) expect(steps.fake.statuses.get(transactionId)).toBe('canceled');
      }
      expect(await begin(order.orderId)).toMatchObject({ isNew: true });
    });

    it('leaves a payment to the process that has just begun it', async () => {
      const payment = await steps.newPayment(await steps.newOrder(), 'PENDING', { ageMs: 100 });
      expect(await finishPayment(steps.app, payment)).toMatchObject({ status: 'PENDING' });
      expect(steps.fake.calls).toEqual([`lookUp ${payment.providerTransactionId}`]);
    });

    it('completes what was confirmed, though the answer was lost', async () => {
      const order = await steps.newOrder();
      steps.fake.lostAnswers.confirm = [noAnswer()];
      const begun = await begin(order.orderId);
      const pending = await advance(begun);
      expect(pending.status).toBe('PENDING');
      const { payment } = await advancePayment(steps.app, pending);
      expect(payment).toMatchObject({ status: 'COMPLETED' });
      expect(confirms()).toHaveLength(1);
    });

    it('voids what was confirmed in the moment in which the order ended', async () => {
      const order = await steps.newOrder();
      steps.fake.lostAnswers.confirm = [noAnswer()];
      const begun = await begin(order.orderId);
      const { id } = await advance(begun);
      await steps.reservations.release(order.orderId, 'BY_CUSTOMER');
      await cancelOrder(order.orderId);
      expect(await finishPayment(steps.app, await steps.read(id))).toMatchObject({
        status: 'VOIDED',
      });
      expect(steps.fake.statuses.get(`tx-${id}`)).toBe('canceled');
    });

    it.each(['unconfirmed', 'actionRequired'] as const)(
      'cancels a payment that is %s when its order has ended',
      async (status) => {
        const order = await steps.newOrder();
        const payment = await steps.newPayment(order);
        steps.fake.statuses.set(payment.providerTransactionId as string, status);
        await cancelOrder(order.orderId);
        expect(await finishPayment(steps.app, payment)).toMatchObject({
          ...{ status: 'FAILED', failure: 'ORDER_ENDED' },
        });
        expect(steps.fake.statuses.get(payment.providerTransactionId as string)).toBe('canceled');
      },
    );

    it('waits while the bank decides, and then ends it', async () => {
      const order = await steps.newOrder();
      const payment = await steps.newPayment(order);
      const transactionId = payment.providerTransactionId as string;
      steps.fake.statuses.set(transactionId, 'pending');
      await cancelOrder(order.orderId);
      expect(await finishPayment(steps.app, payment)).toMatchObject({ status: 'PENDING' });
      steps.fake.statuses.set(transactionId, 'authorized');
      await steps.reservations.release(order.orderId, 'BY_CUSTOMER');
      expect(await finishPayment(steps.app, payment)).toMatchObject({ status: 'VOIDED' });
      expect(steps.fake.statuses.get(transactionId)).toBe('canceled');
    });

    it('cancels a declined payment at the provider, where it could be confirmed again', async () => {
      const payment = await steps.newPayment(await steps.newOrder());
      const transactionId = payment.providerTransactionId as string;
      steps.fake.statuses.set(transactionId, 'declined');
      const failed = await finishPayment(steps.app, payment);
      expect(failed).toMatchObject({ status: 'FAILED', failure: 'DECLINED', nextAttemptAt: null });
      expect(steps.fake.statuses.get(transactionId)).toBe('canceled');
    });

    it('repeats a cancellation that got no answer', async () => {
      const payment = await steps.newPayment(await steps.newOrder(), 'FAILED');
      steps.fake.faults.cancel = [noAnswer()];
      expect((await finishPayment(steps.app, payment)).nextAttemptAt).not.toBeNull();
      expect((await finishPayment(steps.app, payment)).nextAttemptAt).toBeNull();
    });
  });

  describe('that captures', () => {
    it.each([
      ['has lapsed', true, { status: 'FAILED', failure: 'LAPSED' }],
      ['was canceled at the provider', false, { status: 'VOIDED' }],
    ] as const)(
      'cancels the order and its units if the authorization %s',
      async (_, hasLapsed, end) => {
        const order = await steps.newOrder();
        const payment = await steps.newPayment(order, 'AUTHORIZED');
        const transactionId = payment.providerTransactionId as string;
        const { lookUp, capture } = steps.fake.provider;
        const state = async () => ({ transactionId, status: 'canceled' as const, hasLapsed });
        Object.assign(steps.fake.provider, { lookUp: state, capture: state });
        expect(await finishPayment(steps.app, payment)).toMatchObject(end);
        Object.assign(steps.fake.provider, { lookUp, capture });
        expect(await steps.orderOf(order.orderId)).toEqual({
          ...{ status: 'CANCELLED', reason: 'PAYMENT_FAILED' },
        });
        const events = await steps.rows<{ topic: string }>(
          `select topic from outbox where payload->>'orderId' = $1`,
          [order.orderId],
        );
        expect(events).toEqual([{ topic: 'order.units.cancelled' }]);
      },
    );

    it('sells to a payment that a person captured at the provider before', async () => {
      const order = await steps.newOrder();
      const payment = await steps.newPayment(order);
      steps.fake.statuses.set(payment.providerTransactionId as string, 'captured');
      expect(await finishPayment(steps.app, payment)).toMatchObject({ status: 'COMPLETED' });
      expect(await steps.orderOf(order.orderId)).toMatchObject({ status: 'CONFIRMED' });
    });

    it('refunds such a payment if its stock is gone', async () => {
      const order = await steps.newOrder();
      const payment = await steps.newPayment(order);
      steps.fake.statuses.set(payment.providerTransactionId as string, 'captured');
      await steps.reservations.release(order.orderId, 'BY_CUSTOMER');
      expect(await finishPayment(steps.app, payment)).toMatchObject({ status: 'COMPLETED' });
      expect(await steps.refundsOf(payment.id)).toMatchObject([
        { status: 'PENDING', amount: '10.00' },
      ]);
    });
  });

  /** All steps, as they are taken for a payment that was read before another process changed it. */
  const allSteps: readonly [string, PaymentStatus, (payment: Payment) => Promise<unknown>][] = [
    ['authorize', 'PENDING', (payment) => authorize(steps.app, payment)],
    ['settlePending', 'PENDING', (payment) => settlePending(steps.app, payment)],
    ['commitAndCapture', 'AUTHORIZED', (payment) => commitAndCapture(steps.app, payment)],
    ['voidPayment', 'AUTHORIZED', (payment) => voidPayment(steps.app, payment, 'VOIDED')],
    [
      'voidPayment',
      'PENDING',
      (payment) => voidPayment(steps.app, payment, 'FAILED', 'NOT_CHARGED'),
    ],
    ['closeAtProvider', 'FAILED', (payment) => closeAtProvider(steps.app, payment)],
    ['closeAtProvider', 'VOIDED', (payment) => closeAtProvider(steps.app, payment)],
    ['followSettled', 'COMPLETED', (payment) => followSettled(steps.app, payment)],
  ];
  it.each(
    allSteps.flatMap(([name, from, take]) =>
      statuses.filter((now) => now !== from).map((now) => [name, from, now, take] as const),
    ),
  )('%s, of a payment read as %s, changes nothing once it is %s', async (_, from, now, take) => {
    const order = await steps.newOrder();
    const payment = await steps.newPayment(order, from);
    const failure = now === 'FAILED' ? 'LAPSED' : null;
    await steps.rows('update payment set status = $2, failure = $3 where id = $1', [
      ...[payment.id, now, failure],
    ]);
    await cancelOrder(order.orderId);
    const before = await steps.read(payment.id);
    await take(payment).catch(() => {});
    expect(await steps.read(payment.id)).toEqual(before);
    expect(await steps.orderOf(order.orderId)).toEqual({
      ...{ status: 'CANCELLED', reason: 'BY_CUSTOMER' },
    });
    expect(await steps.historyOf(order.orderId)).toEqual([]);
  });
});
