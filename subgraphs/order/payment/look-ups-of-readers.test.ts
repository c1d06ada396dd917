import { openPaymentSteps, type PaymentSteps } from '../../../tests/harness/payment-steps.js';
import { newId } from '../../shared/ids.js';
import { finishPayment } from './advance-payment.js';
import type { PaymentContext } from './payment-app.js';
import type { ProviderEvent } from './provider/payment-provider.js';
import { createLookUpSharing } from './provider/share-look-ups.js';
import { readPaymentResult } from './read-payment-result.js';
import { recordEvent } from './webhook/payment-event.js';

describe('the look-ups of a payment by its readers', () => {
  let steps: PaymentSteps;
  let nowMs = 0;
  beforeAll(async () => {
    steps = await openPaymentSteps();
    Object.assign(steps.app, { shareLookUp: createLookUpSharing(() => nowMs) });
  });
  beforeEach(() => {
    steps.fake.calls.length = 0;
  });
  afterAll(() => steps.close());

  const waiting = async () => {
    const payment = await steps.newPayment(await steps.newOrder());
    steps.fake.statuses.set(payment.providerTransactionId as string, 'actionRequired');
    return payment;
  };
  const read = async (paymentId: string) => {
    const context = { app: steps.app, em: steps.app.orm.em.fork() } as unknown as PaymentContext;
    return readPaymentResult(context, await steps.read(paymentId));
  };
  const readAs = async (paymentId: string) => (await read(paymentId)).constructor.name;
  const lookUps = () => steps.fake.calls.filter((call) => call.startsWith('lookUp')).length;
  /** A webhook, in whichever process it arrives. */
  const hint = (payment: { id: string; providerTransactionId: string | null }) =>
    recordEvent(steps.app, 'fake', {
      ...{ eventId: newId(), paymentId: payment.id, status: 'authorized' },
      transactionId: payment.providerTransactionId,
    } satisfies ProviderEvent);
  /** Delays the answer of the next look-up until it is released. */
  const holdLookUp = () => {
    const { lookUp } = steps.fake.provider;
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    Object.assign(steps.fake.provider, {
      async lookUp(transactionId: string) {
        Object.assign(steps.fake.provider, { lookUp });
        const answer = await lookUp(transactionId);
        begun.resolve();
        await promise;
        return answer;
      },
    });
    return { release: resolve, begun: begun.promise };
  };

  it('are shared while one is under way', async () => {
    const { id } = await waiting();
    const hold = holdLookUp();
    const first = readAs(id);
    await hold.begun;
    const others = Array.from({ length: 20 }, () => readAs(id));
    // By then the others have found the payment, and wait.
    for (let n = 0; n < 20; n++) await steps.read(id);
    hold.release();
    const results = await Promise.all([first, ...others]);
    expect(new Set(results).size).toBe(1);
    expect(lookUps()).toBe(1);
  });

  it('are made every 2 s at most', async () => {
    const { id } = await waiting();
    for (let second = 0; second < 10; second++) {
      for (let n = 0; n < 5; n++) await readAs(id);
      nowMs += 1000;
    }
    expect(lookUps()).toBe(5);
  });

  it('that fail are not repeated sooner', async () => {
    const { id } = await waiting();
    steps.fake.faults.lookUp = [new Error('no answer')];
    for (let n = 0; n < 5; n++) await readAs(id);
    expect(lookUps()).toBe(1);
    nowMs += 2000;
    await readAs(id);
    expect(lookUps()).toBe(2);
  });

  it('of different payments are not shared', async () => {
    for (const { id } of [await waiting(), await waiting()]) await readAs(id);
    expect(lookUps()).toBe(2);
  });

  it('are made at once after a webhook, and once for it', async () => {
    const payment = await waiting();
    await readAs(payment.id);
    await hint(payment);
    for (let n = 0; n < 5; n++) await readAs(payment.id);
    expect(lookUps()).toBe(2);
    steps.fake.statuses.set(payment.providerTransactionId as string, 'authorized');
    await hint(payment);
    expect(await read(payment.id)).toMatchObject({ payment: { status: 'COMPLETED' } });
  });

  it('that began before a webhook are not used by readers after it', async () => {
    const payment = await waiting();
    const hold = holdLookUp();
    const before = read(payment.id);
    await hold.begun;
    steps.fake.statuses.set(payment.providerTransactionId as string, 'authorized');
    await hint(payment);
    expect(await read(payment.id)).toMatchObject({ payment: { status: 'COMPLETED' } });
    hold.release();
    await before;
    expect(lookUps()).toBe(2);
  });

  it('are not used by workers, or by a step that cancels or captures', async () => {
    const payment = await waiting();
    const transactionId = payment.providerTransactionId as string;
    await readAs(payment.id);
    steps.fake.statuses.set(transactionId, 'authorized');
    expect((await finishPayment(steps.app, payment)).status).toBe('COMPLETED');
    expect(steps.fake.calls.slice(1)).toEqual([
      `lookUp ${transactionId}`,
      `capture ${transactionId}`,
    ]);
    const other = await waiting();
    await readAs(other.id);
    await steps.rows(
      `update customer_order set status = 'CANCELLED', cancel_reason = 'BY_CUSTOMER' where id = $1`,
      [other.orderId],
    );
    // Captured at the provider since the last look: it is refunded, not taken for canceled.
    steps.fake.statuses.set(other.providerTransactionId as string, 'captured');
    nowMs += 2000;
    await read(other.id);
    expect(await steps.refundsOf(other.id)).toMatchObject([{ status: 'PENDING' }]);
    expect((await steps.read(other.id)).status).toBe('COMPLETED');
  });
});
