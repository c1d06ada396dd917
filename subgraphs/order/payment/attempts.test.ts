import { openPaymentSteps, type PaymentSteps } from '../../../tests/harness/payment-steps.js';
import { isTryAgain } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { authorizeAndAdvance } from './advance-payment.js';
import { beginPayment } from './begin-payment.js';
import { Declined, UnknownMethod } from './provider/payment-provider.js';
import type { Payment } from './state/payment.js';

const perOrderMax = 5;
const perDayMax = 20;

describe('attempts to pay', () => {
  let steps: PaymentSteps;
  beforeAll(async () => {
    steps = await openPaymentSteps();
  });
  afterAll(() => steps.close());

  const begin = async (orderId: string) => {
    const order = await steps.keyOf(orderId);
    const payment = { ...order, id: newId(), orderId, method: 'pm_card', endsOrder: false };
    return beginPayment(steps.app, payment);
  };
  async function payWith(
    orderId: string,
    isDeclined: boolean,
    error: Error = new Declined('declined', 'GENERIC'),
  ) {
    const begun = await begin(orderId);
    if (begun.kind !== 'begun') return begun;
    if (isDeclined) steps.fake.faults.confirm = [error];
    const { payment } = await authorizeAndAdvance(steps.app, begun.payment);
    return payment.status;
  }
  /** Orders of one customer. */
  async function ordersOf(count: number): Promise<string[]> {
    const [ids, customerId]: [string[], string] = [[], newId()];
    for (let n = 0; n < count; n++) ids.push((await steps.newOrder({ customerId })).orderId);
    return ids;
  }
  const tomorrow = () => {
    const now = new Date();
    return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1));
  };

  it(`of an order end after ${perOrderMax} that were declined`, async () => {
    const { orderId } = await steps.newOrder();
    for (let n = 0; n < perOrderMax; n++) expect(await payWith(orderId, true)).toBe('FAILED');
    expect(await payWith(orderId, false)).toEqual({ kind: 'limited', retryAt: null });
  });

  it(`of a customer end after ${perDayMax} that were declined on one day, whatever the orders`, async () => {
    const ids = await ordersOf(perDayMax + 2);
    for (const id of ids.slice(0, perDayMax)) expect(await payWith(id, true)).toBe('FAILED');
    const last = ids[perDayMax] as string;
    expect(await payWith(last, false)).toEqual({ kind: 'limited', retryAt: tomorrow() });
    await steps.rows('update payment set attempt_day = attempt_day - 1 where order_id = any($1)', [
      ids,
    ]);
    expect(await payWith(last, false)).toBe('COMPLETED');
  }, 60_000);

  it('with a method that the provider does not know count too', async () => {
    const { orderId } = await steps.newOrder();
    for (let n = 0; n < perOrderMax; n++) {
      expect(await payWith(orderId, true, new UnknownMethod())).toBe('FAILED');
    }
    expect(await payWith(orderId, false)).toEqual({ kind: 'limited', retryAt: null });
  });

  it('that succeed do not count', async () => {
    for (const id of await ordersOf(perDayMax + 5)) {
      expect(await payWith(id, false)).toBe('COMPLETED');
    }
  }, 60_000);

  it('of the same moment are bounded too: those that are not decided yet count', async () => {
    const ids = await ordersOf(perDayMax + 30);
    const begun = await Promise.all(ids.map((id) => begin(id).catch((error: Error) => error)));
    const payments = begun.flatMap((each): Payment[] =>
      'kind' in each && each.kind === 'begun' ? [each.payment] : [],
    );
    expect(payments).toHaveLength(perDayMax);
    // None of them was declined: the others can be paid in a moment.
    expect(begun.filter((each) => isTryAgain(each))).toHaveLength(30);
    const slots = payments
      .map(({ attemptSlot }) => attemptSlot as number)
      .toSorted((a, b) => a - b);
    expect(slots).toEqual(Array.from({ length: perDayMax }, (_, n) => n + 1));
  });

  it('of two requests for one order are one payment', async () => {
    const { orderId } = await steps.newOrder();
    const begun = await Promise.all(Array.from({ length: 10 }, () => begin(orderId)));
    const isNew = begun.map((each) => each.kind === 'begun' && each.isNew);
    expect(isNew.filter(Boolean)).toHaveLength(1);
    const ids = begun.map((each) => each.kind === 'begun' && each.payment.id);
    expect(new Set(ids).size).toBe(1);
  });
});
