import { openPaymentSteps, type PaymentSteps } from '../../../../tests/harness/payment-steps.js';
import { newId } from '../../../shared/ids.js';
import { onPaymentsDue } from '../../order/payment-signals.js';
import type { ProviderStatus } from '../provider/payment-provider.js';
import { recordEvent } from './payment-event.js';

describe('an event about a payment', () => {
  let steps: PaymentSteps;
  beforeAll(async () => {
    steps = await openPaymentSteps();
  });
  afterAll(() => steps.close());

  const record = (paymentId: string, status: ProviderStatus, provider = 'fake') =>
    recordEvent(steps.app, provider, {
      ...{ eventId: newId(), paymentId, transactionId: 'tx-unknown', status },
    });
  /** A payment that this process has just authorized; in the database it is PENDING again. */
  async function authorized() {
    const payment = await steps.newPayment(await steps.newOrder());
    await steps.app.paymentWrites.change({ payment, to: 'AUTHORIZED', dueAfterMs: 60_000 });
    await steps.rows(`update payment set status = 'PENDING' where id = $1`, [payment.id]);
    return payment.id;
  }
  const isDue = async (id: string) => {
    const due = 'select next_attempt_at <= now() as due from payment where id = $1';
    return (await steps.rows<{ due: boolean }>(due, [id]))[0]?.due;
  };

  it('that this process has just recorded says nothing new, and is not looked for', async () => {
    const id = await authorized();
    expect(await record(id, 'authorized')).toBe(false);
    expect(await isDue(id)).toBe(false);
  });

  it.each<[string, ProviderStatus, string]>([
    ['of another state', 'captured', 'fake'],
    ['of another provider', 'authorized', 'other'],
  ])('%s is looked for', async (_, status, provider) => {
    const id = await authorized();
    await steps.rows('update payment set provider = $2 where id = $1', [id, provider]);
    expect(await record(id, status, provider)).toBe(true);
    expect(await isDue(id)).toBe(true);
  });

  it('that says something new wakes the worker at once', async () => {
    let woken = 0;
    onPaymentsDue(steps.app.orm, () => {
      woken += 1;
    });
    const { id } = await steps.newPayment(await steps.newOrder());
    await record(id, 'unconfirmed');
    expect(woken).toBe(0);
    await record(id, 'authorized');
    expect(woken).toBe(1);
  });

  it('that another process recorded says nothing new either', async () => {
    const { id } = await steps.newPayment(await steps.newOrder(), 'COMPLETED');
    expect(await record(id, 'captured')).toBe(false);
    expect(await isDue(id)).toBe(false);
  });
});
