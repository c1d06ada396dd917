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
// A payment has one refund per shop order at most; Stripe's page limit is 100.
const refundsMax = 100;

export interface StripeSettings {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** replaces Stripe's own API, for tests */
  readonly apiUrl?: string;
  readonly timeoutMs?: number;
}

/**
 * Stripe: one PaymentIntent per payment, with manual capture. `method` is the id of a PaymentMethod
 * (`pm_…`) that the client created with Stripe.js. If the customer has to act, the client passes the
 * `clientSecret` to Stripe.js (`handleNextAction`), and a webhook reports the result.
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

  /** Ignores a refusal if the payment has the wanted status already. @throws PermanentRefusal */
  async function unlessIs(status: ProviderPayment['status'], payment: PaymentRef, error: unknown) {
    if (!isRefusal(error)) throw error;
    if ((await lookUp(payment))?.status === status) return;
    throw new PermanentRefusal(`Stripe: ${(error as Error).message}`);
  }

  /** Stripe keeps idempotency keys for a day, but refunds permanently. */
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
    // Without idempotency keys: with one, Stripe would repeat its first response for a day, even a fault.
    async capture(payment) {
      await stripe.paymentIntents
        .capture(payment.transactionId as string)
        .catch((error) => unlessIs('captured', payment, error));
    },
    async void(payment) {
      await stripe.paymentIntents
        .cancel(payment.transactionId as string)
        .catch((error) => unlessIs('voided', payment, error));
    },
    async refund({ refundId, transactionId, amount, currencyCode }) {
      if (await isRefunded(transactionId, refundId)) return;
      const request = {
        payment_intent: transactionId,
        amount: toMinorUnits(amount, currencyCode),
        metadata: { refund_id: refundId },
      };
      const refund = await stripe.refunds.create(request, once(refundId)).catch((error) => {
        if (isRefusal(error)) throw new PermanentRefusal(`Stripe: ${error.message}`);
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

/** A refusal of the card or the request; any other error may be a fault of Stripe or the network. */
const isRefusal = (error: unknown): error is Error =>
  error instanceof Stripe.errors.StripeCardError ||
  error instanceof Stripe.errors.StripeInvalidRequestError;

/** Maps a refusal to a declined payment. @throws any other error */
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

/** Events are about a PaymentIntent, or about a charge or refund that names its PaymentIntent. */
function subjectOf(object: object) {
  const { object: type, id, metadata, payment_intent } = object as Record<string, unknown>;
  if (type === 'payment_intent') {
    const paymentId = (metadata as Record<string, string> | null)?.payment_id ?? null;
    return { paymentId, transactionId: id as string };
  }
  const transactionId = typeof payment_intent === 'string' ? payment_intent : null;
  return { paymentId: null, transactionId };
}
