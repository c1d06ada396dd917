import { openPaymentSteps, type PaymentSteps } from '../../../../tests/harness/payment-steps.js';
import {
  type StripeSetup,
  startWithProvider,
} from '../../../../tests/harness/stripe/with-provider.js';
import { reconcileDay } from './reconcile-day.js';
import { utcDayOf } from './utc-day.js';

describe('a reconciliation with Stripe', () => {
  let steps: PaymentSteps;
  let stripe: StripeSetup;
  beforeAll(async () => {
    [steps, stripe] = await Promise.all([openPaymentSteps(), startWithProvider()]);
  });
  afterAll(() => Promise.all([steps.close(), stripe.stop()]));

  const reconcile = async () => {
    const app = { orm: steps.app.orm, logger: steps.app.logger, provider: stripe.provider };
    return reconcileDay(app, utcDayOf(new Date()));
  };

  it('cancels what was created and is not known here, unless it was captured', async () => {
    const { unconfirmed, actionRequired, authorized, captured, declined } = stripe.inState;
    const open = await Promise.all([unconfirmed(), actionRequired(), authorized(), declined()]);
    const paid = await captured();
    const differences = await reconcile();
    const ended = new Map(differences.map((each) => [each.subject.transactionId, each.done]));
    for (const { transactionId } of open) {
      expect(ended.get(transactionId)).toBe('CANCELED');
      expect(stripe.server.intents.get(transactionId)?.status).toBe('canceled');
    }
    // Somebody has to look at it.
    expect(ended.get(paid.transactionId)).toBe('REPORTED');
    expect(stripe.server.intents.get(paid.transactionId)?.status).toBe('succeeded');
    const again = await reconcile();
    expect(again.map(({ subject }) => subject.transactionId)).toEqual([paid.transactionId]);
  });
});
