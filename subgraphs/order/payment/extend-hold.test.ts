import { openPaymentSteps, type PaymentSteps } from '../../../tests/harness/payment-steps.js';
import { newId } from '../../shared/ids.js';
import { onOrdersChanged } from '../order/order-signals.js';
import { endPending } from '../order/transitions/end-pending.js';
import { authorizeAndAdvance } from './advance-payment.js';
import { beginPayment } from './begin-payment.js';
import { Declined } from './provider/payment-provider.js';

interface Row {
  readonly secondsLeft: number;
  readonly reserveForMs: number | null;
  readonly version: number;
}

describe('an order that is held for a shorter time than others', () => {
  let steps: PaymentSteps;
  const changed: string[] = [];
  beforeAll(async () => {
    steps = await openPaymentSteps();
    onOrdersChanged(steps.app.orm, (ids) => changed.push(...ids));
  });
  beforeEach(() => {
    changed.length = 0;
    steps.fake.calls.length = 0;
    steps.reservations.extended.length = 0;
  });
  afterAll(() => steps.close());

  const newShortOrder = async (holdMs = 60_000) =>
    (await steps.newOrder({ holdMs, reserveForMs: 60_000 })).orderId;
  const begin = (orderId: string) =>
    beginPayment(steps.app, {
      ...{ customerId: orderId, id: newId(), orderId },
      ...{ method: 'pm_card', endsOrder: false },
    });
  async function pay(orderId: string) {
    const begun = await begin(orderId);
    if (begun.kind !== 'begun') return begun.kind;
    return (await authorizeAndAdvance(steps.app, begun.payment)).payment.status;
  }
  const read = async (orderId: string) => {
    const [row] = await steps.rows<Row>(
      `select round(extract(epoch from expires_at - now()))::int as "secondsLeft",
         reserve_for_ms as "reserveForMs", version
       from customer_order where id = $1`,
      [orderId],
    );
    return row as Row;
  };

  it('is extended before the provider is asked, and whoever watches it learns the new expiry', async () => {
    const orderId = await newShortOrder();
    const callsBefore: string[][] = [];
    const { extend } = steps.reservations;
    steps.reservations.extend = async (...args) => {
      callsBefore.push([...steps.fake.calls]);
      return extend(...args);
    };
    const begun = await begin(orderId);
    steps.reservations.extend = extend;
    expect(begun).toMatchObject({ kind: 'begun', isNew: true });
    expect(callsBefore).toEqual([[]]);
    const { secondsLeft, ...rest } = await read(orderId);
    expect(secondsLeft).toBeGreaterThan(800);
    expect(rest).toEqual({ reserveForMs: null, version: 2 });
    expect(changed).toEqual([orderId]);
  });

  it('is extended once, also when its payment is declined and it is paid again', async () => {
    const orderId = await newShortOrder();
    steps.fake.faults.confirm = [new Declined('declined', 'GENERIC')];
    expect(await pay(orderId)).toBe('FAILED');
    expect(await pay(orderId)).toBe('COMPLETED');
    expect(steps.reservations.extended).toEqual([orderId]);
  });

  it('is the only one that is extended', async () => {
    const { orderId } = await steps.newOrder();
    expect(await pay(orderId)).toBe('COMPLETED');
    expect(steps.reservations.extended).toEqual([]);
  });

  it('can be paid though its hold would have ended before the provider answers', async () => {
    expect(await pay(await newShortOrder(1000))).toBe('COMPLETED');
  });

  it.each(['EXPIRED', 'RELEASED', 'COMMITTED'] as const)(
    'is not paid when its reservation is %s: nothing is asked of the provider',
    async (state) => {
      const orderId = await newShortOrder();
      steps.reservations.ends.set(orderId, { orderId, state });
      const before = await read(orderId);
      expect(await begin(orderId)).toEqual({ kind: 'not-payable' });
      expect(steps.fake.calls).toEqual([]);
      expect(await read(orderId)).toEqual(before);
      expect(await steps.rows('select 1 from payment where order_id = $1', [orderId])).toEqual([]);
    },
  );

  it('stays as it is while the warehouse does not answer, and is extended by the next attempt', async () => {
    const orderId = await newShortOrder();
    const before = await read(orderId);
    const { extend } = steps.reservations;
    steps.reservations.extend = () => Promise.reject(new Error('no answer'));
    await expect(begin(orderId)).rejects.toThrow('no answer');
    steps.reservations.extend = extend;
    expect(await read(orderId)).toEqual(before);
    expect(await pay(orderId)).toBe('COMPLETED');
  });

  it('that ends while it is extended is not paid', async () => {
    const orderId = await newShortOrder();
    const { extend } = steps.reservations;
    steps.reservations.extend = async (...args) => {
      const answer = await extend(...args);
      const cancelled = { to: 'CANCELLED', reason: 'BY_CUSTOMER' } as const;
      await endPending(steps.app.orm.em.fork(), await steps.keyOf(orderId), cancelled);
      return answer;
    };
    expect(await begin(orderId)).toEqual({ kind: 'not-payable' });
    steps.reservations.extend = extend;
    expect(steps.fake.calls).toEqual([]);
  });

  it('is extended by many payments at once, of which one begins', async () => {
    const orderId = await newShortOrder();
    const begun = await Promise.all(Array.from({ length: 10 }, () => begin(orderId)));
    expect(begun.filter((each) => each.kind === 'begun' && each.isNew)).toHaveLength(1);
    expect(await read(orderId)).toMatchObject({ reserveForMs: null, version: 2 });
  });
});
