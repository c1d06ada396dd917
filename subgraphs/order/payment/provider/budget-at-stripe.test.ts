import { openPaymentSteps, type PaymentSteps } from '../../../../tests/harness/payment-steps.js';
import {
  type StripeSetup,
  startWithProvider,
} from '../../../../tests/harness/stripe/with-provider.js';
import { createLogger } from '../../../shared/observability/logger.js';
import { Registry } from '../../../shared/observability/metrics.js';
import { authorizeAndAdvance } from '../advance-payment.js';
import { beginPayment } from '../begin-payment.js';
import { createPaymentWrites } from '../state/payment-writes.js';
import { budgeted } from './budgeted-provider.js';
import { paymentProviders } from './providers.js';

const accountLimit = 150;
const paymentCount = 100;
const method = 'pm_card_visa';

describe('payments at Stripe, more at once than its limits allow', () => {
  let stripe: StripeSetup;
  let steps: PaymentSteps;
  beforeAll(async () => {
    [stripe, steps] = await Promise.all([startWithProvider(), openPaymentSteps()]);
    Object.assign(stripe.server.limits, {
      ...{ readsPerSecond: accountLimit, writesPerSecond: accountLimit },
    });
  });
  afterAll(() => Promise.all([stripe.stop(), steps.close()]));

  it('are all captured within their budget: no customer is declined, or has to pay again', async () => {
    const provider = budgeted(stripe.provider, {
      // Half of the limit: on a busy machine requests do not arrive as evenly as they are sent.
      requestsPerSecond: accountLimit / 2,
      registry: new Registry(),
      logger: createLogger('test', 'silent'),
    });
    const paymentWrites = createPaymentWrites(steps.app.orm.em, provider);
    const app = { ...steps.app, providers: paymentProviders(provider), paymentWrites };
    const pay = async (id: string) => {
      const { orderId } = await steps.newOrder();
      const begun = await beginPayment(app, {
        ...{ customerId: orderId, id, orderId, method, endsOrder: false },
      });
      if (begun.kind !== 'begun') return begun.kind;
      return (await authorizeAndAdvance(app, begun.payment)).payment.status;
    };
    const ids = Array.from({ length: paymentCount }, () => stripe.newPayment().paymentId);
    const statuses = await Promise.all(ids.map(pay));
    expect(statuses).toEqual(Array(paymentCount).fill('COMPLETED'));
    expect(stripe.server.requests.length).toBeGreaterThanOrEqual(3 * paymentCount);
  });
});
