import fc from 'fast-check';
import { openPaymentSteps, type PaymentSteps } from '../../../../tests/harness/payment-steps.js';
import { newId } from '../../../shared/ids.js';
import type { OrderContext } from '../../context.js';
import { finishPayment } from '../advance-payment.js';
import { followSettled } from '../follow-settled.js';
import {
  KeyUsedUp,
  PermanentRefusal,
  type ProviderDisputeStatus,
  type ProviderRefundStatus,
} from '../provider/payment-provider.js';
import { requestRefunds } from '../state/request-refunds.js';
import { refundAll } from '../void-payment.js';
import { retryRefund } from './retry-refund.js';
import { sendRefunds } from './send-refunds.js';

describe('refunds and disputes', () => {
  let steps: PaymentSteps;
  beforeAll(async () => {
    steps = await openPaymentSteps();
  });
  afterEach(async () => {
    steps.fake.calls.length = 0;
    steps.fake.refunds.length = 0;
    steps.fake.disputes.length = 0;
    for (const name of Object.keys(steps.fake.faults)) {
      delete steps.fake.faults[name as keyof typeof steps.fake.faults];
    }
    await steps.rows(`update refund set next_attempt_at = now() + interval '1 day'`);
  });
  afterAll(() => steps.close());

  async function paid(amount = '10.00') {
    const order = await steps.newOrder({ amount });
    const payment = await steps.newPayment(order, 'COMPLETED');
    const transactionId = payment.providerTransactionId as string;
    steps.fake.statuses.set(transactionId, 'captured');
    return { ...order, payment, transactionId };
  }
  type Paid = Awaited<ReturnType<typeof paid>>;
  const request = ({ payment, shopOrderId }: Paid, amount: string | null) =>
    steps.app.orm.em.fork().transactional(async (em) => {
      const asked = { shopOrderId, amount, reason: 'BY_SHOP' };
      return (await requestRefunds(em, payment, [asked]))[0] !== null;
    });
  const requestAll = ({ payment }: Paid) =>
    steps.app.orm.em.fork().transactional((em) => refundAll(em, payment));
  /** @returns the id of another shop order of the order */
  const addShopOrder = async ({ orderId }: Paid): Promise<string> => {
    const id = newId();
    await steps.rows(
      `with part as (insert into shop_order (customer_id, id, order_id, shop_id) values ($2, $1, $2, $1))
       insert into order_item
         (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
       values ($2, $1, $1, $1, 'SKU', 'It', 100, 'USD', 1)`,
      [id, orderId],
    );
    return id;
  };
  const refundsOf = ({ payment }: Paid) => steps.refundsOf(payment.id);
  const sends = () => steps.fake.calls.filter((each) => each.startsWith('refund '));
  const dueNow = () => steps.rows('update refund set next_attempt_at = now()');
  const follow = async ({ payment }: Paid) =>
    followSettled(steps.app, await steps.read(payment.id));
  const statusOf = async ({ payment }: Paid) => (await steps.read(payment.id)).status;
  const report = ({ transactionId }: Paid, amount: string, status: ProviderRefundStatus) => {
    const id = `re-${newId()}`;
    const refundId = null;
    steps.fake.refunds.push({ id, transactionId, refundId, amount, currencyCode: 'USD', status });
  };
  const change = (at: number, status: ProviderRefundStatus, reason?: string) => {
    const refund = { ...steps.fake.refunds[at], status, ...(reason && { reason }) };
    steps.fake.refunds[at] = refund as (typeof steps.fake.refunds)[number];
  };
  const dispute = (
    { transactionId }: Paid,
    status: ProviderDisputeStatus,
    amount = '10.00',
    id = 'dp-1',
  ) => {
    const made = {
      ...{ id: `${id}-${transactionId}`, transactionId, status, amount, currencyCode: 'USD' },
      ...{ reason: 'fraudulent', evidenceDueAt: null },
      fundsWithdrawn: ['OPEN', 'WON', 'LOST'].includes(status),
      fundsReinstated: status === 'WON',
    };
    const at = steps.fake.disputes.findIndex((each) => each.id === made.id);
    if (at >= 0) steps.fake.disputes[at] = made;
    else steps.fake.disputes.push(made);
  };

  it('are completed when the provider reports it, not when it accepts them', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    const { refund } = steps.fake.provider;
    steps.fake.provider.refund = async (asked) => {
      const answer = { ...(await refund(asked)), status: 'pending' as const };
      change(steps.fake.refunds.length - 1, 'pending');
      return answer;
    };
    await sendRefunds(steps.app);
    steps.fake.provider.refund = refund;
    expect(await refundsOf(sale)).toMatchObject([{ status: 'SENT' }]);
    expect(await statusOf(sale)).toBe('COMPLETED');
    change(0, 'succeeded');
    await dueNow();
    await sendRefunds(steps.app);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'COMPLETED' }]);
    expect(await statusOf(sale)).toBe('REFUNDED');
  });

  it('that fail days after they were completed make the payment COMPLETED again', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    await sendRefunds(steps.app);
    expect(await statusOf(sale)).toBe('REFUNDED');
    change(0, 'failed', 'lost_or_stolen_card');
    await follow(sale);
    expect(await refundsOf(sale)).toMatchObject([
      { status: 'FAILED', failureReason: 'lost_or_stolen_card' },
    ]);
    expect(await statusOf(sale)).toBe('COMPLETED');
    expect(await steps.historyOf(sale.orderId)).toEqual([
      'REFUND_REQUESTED 10.00 USD: BY_SHOP',
      'REFUND_COMPLETED 10.00 USD',
      // Customers read it.
      'REFUND_FAILED 10.00 USD: CARD_CLOSED',
    ]);
    await dueNow();
    await sendRefunds(steps.app);
    expect(sends()).toHaveLength(1);
  });

  it('of money to which nothing was sold are requested once, also if the first one failed', async () => {
    const sale = await paid();
    await requestAll(sale);
    steps.fake.faults.refund = [new PermanentRefusal('insufficient_funds')];
    await sendRefunds(steps.app);
    await requestAll(sale);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'FAILED', amount: '10.00' }]);
  });

  it('that wait after a lost dispute are cancelled by those that a person makes at the provider', async () => {
    const sale = await paid('30.00');
    dispute(sale, 'LOST', '5.00');
    await follow(sale);
    await request(sale, '10.00');
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PENDING', amount: '5.00' }]);
    report(sale, '2.00', 'succeeded');
    await follow(sale);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PENDING', amount: '3.00' }, {}]);
    report(sale, '3.00', 'succeeded');
    await follow(sale);
    expect((await refundsOf(sale))[0]).toMatchObject({ status: 'CANCELLED' });
  });

  it('that wait for a dispute are cancelled too if its end and the refund at the provider are seen together', async () => {
    const sale = await paid('30.00');
    dispute(sale, 'OPEN', '5.00');
    await follow(sale);
    await request(sale, '10.00');
    dispute(sale, 'LOST', '5.00');
    report(sale, '5.00', 'succeeded');
    await follow(sale);
    expect((await refundsOf(sale))[0]).toMatchObject({ status: 'CANCELLED' });
  });

  it('that are refused fail with the reason, and are not sent again', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    steps.fake.faults.refund = [new PermanentRefusal('insufficient_funds')];
    await sendRefunds(steps.app);
    await dueNow();
    await sendRefunds(steps.app);
    expect(await refundsOf(sale)).toMatchObject([
      { status: 'FAILED', failureReason: 'insufficient_funds' },
    ]);
    expect(sends()).toHaveLength(1);
  });

  it('that failed are sent under another key once they are retried', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    const [{ id } = { id: '' }] = await refundsOf(sale);
    steps.fake.faults.refund = [new PermanentRefusal('insufficient_funds')];
    await sendRefunds(steps.app);
    const identity = { id: newId(), role: 'ADMIN' };
    const context = { em: steps.app.orm.em, app: steps.app, identity, caller: 'router' };
    await retryRefund(context as unknown as OrderContext, id);
    await sendRefunds(steps.app);
    expect(sends()).toEqual([`refund ${id}:0`, `refund ${id}:1`]);
    expect(await statusOf(sale)).toBe('REFUNDED');
  });

  it('whose answer was lost are sent again under the same key only if the provider has none', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    const [{ id } = { id: '' }] = await refundsOf(sale);
    steps.fake.lostAnswers.refund = [new Error('no answer')];
    steps.fake.faults.refund = [new Error('no answer')];
    for (let n = 0; n < 4; n++) {
      await sendRefunds(steps.app);
      await dueNow();
    }
    expect(sends()).toEqual([`refund ${id}:0`, `refund ${id}:0`]);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'COMPLETED' }]);
    expect(steps.fake.refunds).toHaveLength(1);
  });

  it('whose key is used up by a fault are sent under another one', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    const [{ id } = { id: '' }] = await refundsOf(sale);
    steps.fake.faults.refund = [new KeyUsedUp()];
    await sendRefunds(steps.app);
    await sendRefunds(steps.app);
    // Not at once: the provider may still be executing it.
    expect(sends()).toEqual([`refund ${id}:0`]);
    await dueNow();
    await sendRefunds(steps.app);
    expect(sends()).toEqual([`refund ${id}:0`, `refund ${id}:1`]);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'COMPLETED' }]);
  });

  it('are not sent under another key by a worker whose look is older than the fault', async () => {
    const sale = await paid('100.00');
    steps.fake.captured.set(sale.transactionId, 100);
    await request(sale, '10.00');
    const [{ id } = { id: '' }] = await refundsOf(sale);
    // The provider answers the first worker with a fault while the second one looks.
    const { refundsOf: look } = steps.fake.provider;
    steps.fake.faults.refund = [new Error('no answer')];
    await sendRefunds(steps.app);
    steps.fake.provider.refundsOf = async (transactionId) => {
      steps.fake.provider.refundsOf = look;
      const known = await look(transactionId);
      steps.fake.faults.refund = [new KeyUsedUp()];
      await dueNow();
      await sendRefunds(steps.app);
      return known;
    };
    await dueNow();
    await sendRefunds(steps.app);
    expect(sends()).toEqual([`refund ${id}:0`, `refund ${id}:0`]);
    await dueNow();
    await sendRefunds(steps.app);
    expect(await statusOf(sale)).toBe('COMPLETED');
  });

  it('whose key is used up wait as long, though a dispute is decided meanwhile', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    steps.fake.faults.refund = [new KeyUsedUp()];
    await sendRefunds(steps.app);
    dispute(sale, 'WON');
    await follow(sale);
    await sendRefunds(steps.app);
    expect(sends()).toHaveLength(1);
    await dueNow();
    await sendRefunds(steps.app);
    expect(await statusOf(sale)).toBe('REFUNDED');
  });

  it('made at the provider count as refunded, whole or in part, and cancel nothing', async () => {
    const sale = await paid();
    report(sale, '4.00', 'succeeded');
    await follow(sale);
    expect(await refundsOf(sale)).toMatchObject([
      { status: 'COMPLETED', amount: '4.00', origin: 'DASHBOARD' },
    ]);
    expect(await statusOf(sale)).toBe('COMPLETED');
    report(sale, '6.00', 'pending');
    await follow(sale);
    await follow(sale);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'COMPLETED' }, { status: 'SENT' }]);
    expect(await request(sale, '10.00')).toBe(false);
    change(1, 'succeeded');
    await follow(sale);
    expect(await statusOf(sale)).toBe('REFUNDED');
    expect(await steps.orderOf(sale.orderId)).toMatchObject({ status: 'PENDING' });
  });

  it('that a person made at the provider first are cancelled here', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    report(sale, '10.00', 'succeeded');
    await follow(sale);
    expect(await refundsOf(sale)).toMatchObject([
      { status: 'CANCELLED', origin: 'ORDER' },
      { status: 'COMPLETED', origin: 'DASHBOARD' },
    ]);
    await dueNow();
    await sendRefunds(steps.app);
    expect(sends()).toEqual([]);
  });

  it('wait while a dispute is open, and are sent once it is won', async () => {
    const sale = await paid();
    dispute(sale, 'OPEN');
    await follow(sale);
    await request(sale, '10.00');
    await dueNow();
    await sendRefunds(steps.app);
    expect(sends()).toEqual([]);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PENDING' }]);
    dispute(sale, 'WON');
    await follow(sale);
    await sendRefunds(steps.app);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'COMPLETED' }]);
  });

  it('are sent during an inquiry, which withdraws nothing', async () => {
    const sale = await paid();
    dispute(sale, 'INQUIRY');
    await follow(sale);
    await request(sale, '10.00');
    await sendRefunds(steps.app);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'COMPLETED' }]);
  });

  it('are cancelled once a dispute is lost that paid their amount', async () => {
    const sale = await paid();
    await request(sale, '4.00');
    dispute(sale, 'OPEN', '4.00');
    await follow(sale);
    dispute(sale, 'LOST', '4.00');
    await follow(sale);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'CANCELLED' }]);
    await requestAll(sale);
    expect(await refundsOf(sale)).toMatchObject([
      { status: 'CANCELLED' },
      { status: 'PENDING', amount: '6.00' },
    ]);
    await dueNow();
    await sendRefunds(steps.app);
    expect(sends()).toEqual([]);
  });

  it('are not requested for what a lost dispute paid', async () => {
    const sale = await paid();
    dispute(sale, 'LOST');
    await follow(sale);
    await request(sale, '10.00');
    expect(await refundsOf(sale)).toMatchObject([{ status: 'CANCELLED' }]);
  });

  it('are reduced by what the customer has already, by a dispute or at the provider', async () => {
    const sale = await paid('100.00');
    dispute(sale, 'OPEN', '30.00');
    await follow(sale);
    await request(sale, '100.00');
    dispute(sale, 'LOST', '30.00');
    await follow(sale);
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PENDING', amount: '70.00' }]);
    report(sale, '5.00', 'succeeded');
    await follow(sale);
    expect(await refundsOf(sale)).toMatchObject([
      { status: 'PENDING', amount: '65.00' },
      { status: 'COMPLETED', amount: '5.00', origin: 'DASHBOARD' },
    ]);
    report(sale, '65.00', 'succeeded');
    await follow(sale);
    expect((await refundsOf(sale))[0]).toMatchObject({ status: 'CANCELLED' });
  });

  it('that failed because a part was refunded at the provider are sent for the rest', async () => {
    const sale = await paid('100.00');
    steps.fake.captured.set(sale.transactionId, 100);
    report(sale, '10.00', 'succeeded'); // not known here yet
    await request(sale, '100.00');
    await sendRefunds(steps.app);
    expect(await refundsOf(sale)).toMatchObject([
      { status: 'PENDING', amount: '90.00' },
      { status: 'COMPLETED', amount: '10.00' },
    ]);
    await dueNow();
    await sendRefunds(steps.app);
    expect(await statusOf(sale)).toBe('REFUNDED');
  });

  it('that the provider cancelled meanwhile are not sent', async () => {
    const sale = await paid('100.00');
    const other = await addShopOrder(sale);
    steps.fake.captured.set(sale.transactionId, 100);
    steps.fake.faults.refund = [new Error('no answer'), new Error('no answer')];
    await request(sale, '30.00');
    await request({ ...sale, shopOrderId: other }, '50.00');
    await sendRefunds(steps.app);
    report(sale, '60.00', 'succeeded');
    await dueNow();
    await sendRefunds(steps.app);
    await dueNow();
    await sendRefunds(steps.app);
    const sums = steps.fake.refunds.reduce((sum, { amount }) => sum + Number(amount), 0);
    expect(sums).toBe(100);
    expect(await statusOf(sale)).toBe('REFUNDED');
  });

  it('do not lose news that arrived while the payment was captured', async () => {
    const order = await steps.newOrder();
    const payment = await steps.newPayment(order, 'AUTHORIZED');
    const transactionId = payment.providerTransactionId as string;
    steps.fake.statuses.set(transactionId, 'captured');
    dispute({ ...order, payment, transactionId }, 'OPEN');
    // As a webhook does, after the payment was read.
    const { capture } = steps.fake.provider;
    steps.fake.provider.capture = async (ref) => {
      await steps.rows('update payment set next_attempt_at = now() where id = $1', [payment.id]);
      return capture(ref);
    };
    expect(await finishPayment(steps.app, payment)).toMatchObject({ status: 'COMPLETED' });
    steps.fake.provider.capture = capture;
    expect(
      await steps.rows('select status from dispute where payment_id = $1', [payment.id]),
    ).toEqual([{ status: 'OPEN' }]);
  });

  it('of a dispute in another currency: it is about the whole payment', async () => {
    const sale = await paid();
    dispute(sale, 'LOST', '1500.00');
    Object.assign(steps.fake.disputes[0] as object, { currencyCode: 'JPY' });
    await follow(sale);
    const rows = await steps.rows('select amount from dispute where payment_id = $1', [
      sale.payment.id,
    ]);
    expect(rows).toEqual([{ amount: '10.00' }]);
  });

  it('are read and applied, though the disputes cannot be read', async () => {
    const sale = await paid();
    report(sale, '4.00', 'succeeded');
    steps.fake.faults.disputesOf = [new Error('forbidden')];
    await expect(follow(sale)).rejects.toThrow('forbidden');
    expect(await refundsOf(sale)).toMatchObject([{ status: 'COMPLETED', origin: 'DASHBOARD' }]);
  });

  it('that the provider reports as completed, of before its ids were stored, are not counted twice', async () => {
    const sale = await paid();
    await request(sale, '10.00');
    await sendRefunds(steps.app);
    await steps.rows('update refund set provider_refund_id = null where payment_id = $1', [
      sale.payment.id,
    ]);
    await follow(sale);
    expect(await refundsOf(sale)).toHaveLength(1);
    expect(await statusOf(sale)).toBe('REFUNDED');
  });

  it('disputes are kept with their facts, whatever the sequence of the events', async () => {
    const sale = await paid();
    dispute(sale, 'INQUIRY');
    await follow(sale);
    dispute(sale, 'LOST'); // OPEN was not seen
    dispute(sale, 'OPEN', '2.00', 'dp-2');
    await follow(sale);
    dispute(sale, 'OPEN'); // an old state changes nothing
    await follow(sale);
    const rows = await steps.rows(
      `select status, amount, reason, funds_withdrawn as withdrawn from dispute
       where payment_id = $1 order by provider_dispute_id`,
      [sale.payment.id],
    );
    expect(rows).toEqual([
      { status: 'LOST', amount: '10.00', reason: 'fraudulent', withdrawn: true },
      { status: 'OPEN', amount: '2.00', reason: 'fraudulent', withdrawn: true },
    ]);
    expect(await steps.historyOf(sale.orderId)).toEqual([
      'DISPUTE_CHANGED INQUIRY: fraudulent',
      'DISPUTE_CHANGED OPEN: fraudulent',
      'DISPUTE_CHANGED LOST: fraudulent',
      'DISPUTE_CHANGED OPEN: fraudulent',
    ]);
  });

  /** Each refund returns what was requested, or the customer has it otherwise. */
  async function expectNothingLost({ payment }: Paid, originals: Map<string, number>) {
    const rows = await steps.rows<{ id: string; status: string; amount: string; covered: string }>(
      `select id, status, amount, covered_by_dispute + covered_by_refund as covered from refund
       where payment_id = $1 and origin = 'ORDER'`,
      [payment.id],
    );
    for (const { id, status, amount, covered } of rows) {
      const all = Number(covered) + (status === 'CANCELLED' ? 0 : Number(amount));
      if (originals.has(id)) expect(all).toBeCloseTo(originals.get(id) as number);
      else originals.set(id, all);
    }
  }

  it('never return more than was captured, nor lose any of it, whatever the provider and people do', async () => {
    const cents = fc.integer({ min: 1, max: 1500 });
    const act = fc.oneof(
      fc.record({ verb: fc.constantFrom('request', 'dashboard', 'whole'), cents }),
      fc.record({ verb: fc.constantFrom('send', 'follow'), cents }),
      fc.record({ verb: fc.constantFrom('fail', 'finish', 'open', 'win', 'lose'), cents }),
    );
    const amountOf = (units: number) => (units / 100).toFixed(2);
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 14 }), async (acts) => {
        steps.fake.refunds.length = 0;
        steps.fake.disputes.length = 0;
        await steps.rows(`update refund set next_attempt_at = now() + interval '1 day'`);
        const sale = await paid();
        steps.fake.captured.set(sale.transactionId, 10);
        const left = () => steps.fake.left(sale.transactionId);
        const originals = new Map<string, number>();
        for (const { verb, cents: units } of acts) {
          const amount = amountOf(units);
          if (verb === 'request') await request(sale, amount);
          if (verb === 'whole') await requestAll(sale);
          if (verb === 'dashboard' && Number(amount) <= left()) report(sale, amount, 'succeeded');
          if (verb === 'send') {
            await steps.rows(`update refund set next_attempt_at = now() where payment_id = $1`, [
              sale.payment.id,
            ]);
            await sendRefunds(steps.app);
          }
          if (verb === 'follow') await follow(sale);
          if (verb === 'fail' && steps.fake.refunds.length > 0) change(0, 'failed', 'returned');
          if (verb === 'open' && steps.fake.disputes.length === 0 && left() >= 5) {
            dispute(sale, 'OPEN', '5.00');
          }
          if (verb === 'win' && steps.fake.disputes[0]?.status === 'OPEN')
            dispute(sale, 'WON', '5.00');
          if (verb === 'lose' && steps.fake.disputes[0]?.status === 'OPEN')
            dispute(sale, 'LOST', '5.00');
          await expectNothingLost(sale, originals);
          const [sums] = await steps.rows<{ live: string; done: string; lost: string }>(
            `select coalesce(sum(amount) filter (where status in ('PENDING', 'SENT', 'COMPLETED')), 0) as live,
               coalesce(sum(amount) filter (where status = 'COMPLETED'), 0) as done,
               (select coalesce(sum(amount), 0) from dispute where payment_id = $1 and status = 'LOST') as lost
             from refund where payment_id = $1`,
            [sale.payment.id],
          );
          expect(Number(sums?.live) + Number(sums?.lost)).toBeLessThanOrEqual(10);
          expect(await statusOf(sale)).toBe(Number(sums?.done) === 10 ? 'REFUNDED' : 'COMPLETED');
        }
        await follow(sale);
        const [books] = await steps.rows<{ done: string }>(
          `select coalesce(sum(amount) filter (where status in ('SENT', 'COMPLETED')), 0) as done
           from refund where payment_id = $1`,
          [sale.payment.id],
        );
        const live = steps.fake.refunds.filter(({ status }) => status !== 'failed');
        expect(Number(books?.done)).toBeCloseTo(
          live.reduce((sum, { amount }) => sum + Number(amount), 0),
        );
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
