import Stripe from 'stripe';
import { toMinorUnits } from './minor-units.js';
import {
  type PaymentProvider,
  type PaymentRef,
  PermanentRefusal,
  type ProviderPayment,
  WebhookRefused,
  webhookAgeMaxSeconds,
} from './payment-provider.js';

const timeoutDefaultMs = 8000;
// A payment has one for each part of its order at most; Stripe lists no more at once.
const refundsMax = 100;

export interface StripeSettings {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** in the place of Stripe's own API, for tests */
  readonly apiUrl?: string;
  readonly timeoutMs?: number;
}

/**
 * Stripe: a PaymentIntent for each payment, captured by us. `method` is the id of a PaymentMethod
 * (`pm_…`) that the client made with Stripe.js; where the customer has to act, the client gives the
 * `clientSecret` to Stripe.js (`handleNextAction`), and a webhook tells us.
 */
export function createStripeProvider(settings: StripeSettings): PaymentProvider {
  const stripe = new Stripe(settings.secretKey, {
    ...(settings.apiUrl && addressOf(settings.apiUrl)),
    timeout: settings.timeoutMs ?? timeoutDefaultMs,
    maxNetworkRetries: 0,
    telemetry: false,
  });
  const once = (idempotencyKey: string) => ({ idempotencyKey });

  async function lookUp({ paymentId, transactionId }: PaymentRef): Promise<ProviderPayment | null> {
    if (transactionId)
      return toProviderPayment(await stripe.paymentIntents.retrieve(transactionId));
    const query = `metadata['payment_id']:'${paymentId}'`;
    const [found] = (await stripe.paymentIntents.search({ query, limit: 1 })).data;
    return found ? toProviderPayment(found) : null;
  }

  /** Done already counts as done; otherwise says whether asking again is of use. */
  async function unlessDone(payment: PaymentRef, done: ProviderPayment['status'], error: unknown) {
    if (!isRefusal(error)) throw error;
    if ((await lookUp(payment))?.status === done) return;
    throw new PermanentRefusal(`Stripe says: ${(error as Error).message}`);
  }

  /** Stripe forgets the key of a request after a day; not what it did. */
  async function isRefunded(transactionId: string, refundId: string): Promise<boolean> {
    const { data } = await stripe.refunds.list({
      payment_intent: transactionId,
      limit: refundsMax,
    });
    return data.some(
      ({ metadata, status }) =>
        metadata?.refund_id === refundId && status !== 'failed' && status !== 'canceled',
    );
  }

  return {
    name: 'stripe',
    async authorize({ paymentId, amount, currencyCode, method }) {
      try {
        const intent = {
          amount: toMinorUnits(amount, currencyCode),
          currency: currencyCode.toLowerCase(),
          payment_method: method,
          automatic_payment_methods: { enabled: true, allow_redirects: 'never' as const },
          capture_method: 'manual' as const,
          confirm: true,
          metadata: { payment_id: paymentId },
        };
        return toProviderPayment(await stripe.paymentIntents.create(intent, once(paymentId)));
      } catch (error) {
        return declinedBy(error);
      }
    },
    lookUp,
    // Without keys: under one Stripe repeats its first answer, a refusal or a fault, for a day.
    async capture(payment) {
      await stripe.paymentIntents
        .capture(payment.transactionId as string)
        .catch((error) => unlessDone(payment, 'captured', error));
    },
    async void(payment) {
      await stripe.paymentIntents
        .cancel(payment.transactionId as string)
        .catch((error) => unlessDone(payment, 'voided', error));
    },
    async refund({ refundId, transactionId, amount, currencyCode }) {
      if (await isRefunded(transactionId, refundId)) return;
      const order = {
        payment_intent: transactionId,
        amount: toMinorUnits(amount, currencyCode),
        metadata: { refund_id: refundId },
      };
      const refund = await stripe.refunds.create(order, once(refundId)).catch((error) => {
        if (isRefusal(error)) throw new PermanentRefusal(`Stripe says: ${error.message}`);
        throw error;
      });
      if (refund.status === 'failed' || refund.status === 'canceled') {
        throw new PermanentRefusal(`the refund ${refund.id} is ${refund.status}`);
      }
    },
    parseWebhook(headers, body) {
      try {
        const signature = headers['stripe-signature'] ?? '';
        const event = stripe.webhooks.constructEvent(
          body,
          signature,
          settings.webhookSecret,
          webhookAgeMaxSeconds,
        );
        return { eventId: event.id, ...subjectOf(event.data.object) };
      } catch (error) {
        throw new WebhookRefused((error as Error).message);
      }
    },
    close: async () => {},
  };
}

function addressOf(url: string) {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port, protocol: protocol.replace(':', '') as 'http' | 'https' };
}

/** What a card or a request was refused for; anything else may be Stripe's or the network's fault. */
const isRefusal = (error: unknown): error is Error =>
  error instanceof Stripe.errors.StripeCardError ||
  error instanceof Stripe.errors.StripeInvalidRequestError;

/** @throws what is no answer of Stripe's about this payment */
function declinedBy(error: unknown): ProviderPayment {
  if (error instanceof PermanentRefusal) {
    return { status: 'declined', transactionId: null, reason: error.message };
  }
  if (!isRefusal(error)) throw error;
  const intent = (error as InstanceType<typeof Stripe.errors.StripeError>).payment_intent;
  return { status: 'declined', transactionId: intent?.id ?? null, reason: error.message };
}

function toProviderPayment(intent: Stripe.PaymentIntent): ProviderPayment {
  const transactionId = intent.id;
  switch (intent.status) {
    case 'requires_capture':
      return { status: 'authorized', transactionId };
    case 'succeeded':
      return { status: 'captured', transactionId };
    case 'canceled':
      return { status: 'voided', transactionId };
    case 'requires_action':
      return { status: 'actionRequired', transactionId, clientSecret: intent.client_secret ?? '' };
    case 'requires_payment_method': {
      const reason = intent.last_payment_error?.message ?? 'declined';
      return { status: 'declined', transactionId, reason };
    }
    default:
      return { status: 'pending', transactionId };
  }
}

/** Events are about a PaymentIntent, or about a charge or a refund that names its own. */
function subjectOf(object: object) {
  const { object: type, id, metadata, payment_intent } = object as Record<string, unknown>;
  if (type === 'payment_intent') {
    const paymentId = (metadata as Record<string, string> | null)?.payment_id ?? null;
    return { paymentId, transactionId: id as string };
  }
  const transactionId = typeof payment_intent === 'string' ? payment_intent : null;
  return { paymentId: null, transactionId };
}
