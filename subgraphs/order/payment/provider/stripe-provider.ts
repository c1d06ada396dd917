import type { IncomingHttpHeaders } from 'node:http';
import type Stripe from 'stripe';
import { toMinorUnits } from './minor-units.js';
import {
  type NewProviderPayment,
  type NewProviderRefund,
  NotCancelable,
  NotDone,
  type PaymentProvider,
  type Period,
  type ProviderEvent,
  type ProviderPayment,
  type SendPage,
  sendAtOnce,
  WebhookRefused,
  webhookAgeMaxSeconds,
} from './payment-provider.js';
import { checkAccount } from './stripe-account.js';
import {
  createStripeClient,
  type PageRequest,
  pagesOf,
  type RequestLimit,
  type StripeClientSettings,
  startLimit,
} from './stripe-client.js';
import {
  failureOf,
  intentOf,
  isDecline,
  isUnexpectedState,
  keyedFailureOf,
  paymentFailureOf,
} from './stripe-errors.js';
import {
  subjectOf,
  toListedPayment,
  toProviderDispute,
  toProviderPayment,
  toProviderRefund,
} from './stripe-objects.js';

const timeLimitDefaultMs = 8000;

export interface StripeSettings extends StripeClientSettings {
  /** `stripe` by default */
  readonly name?: string;
  readonly webhookSecret: string;
  readonly timeLimitMs?: number;
}

/**
 * Stripe: one PaymentIntent per payment, with manual capture. `method` is the id of a PaymentMethod
 * (`pm_…`) that the client created with Stripe.js. If the customer has to act, the client passes the
 * `clientSecret` to Stripe.js (`handleNextAction`), and a webhook reports the result.
 *
 * Only `create` and `refund` have idempotency keys of ours. The other changes are idempotent by the state of
 * the PaymentIntent; a key would repeat their first answer for a day, even a fault.
 */
export function createStripeProvider(settings: StripeSettings): PaymentProvider {
  const { stripe, close } = createStripeClient(settings);
  const { timeLimitMs = timeLimitDefaultMs } = settings;
  /** of a call with one or more requests */
  const limit = (withinMs = timeLimitMs) => startLimit(Math.min(withinMs, timeLimitMs));
  /** of a call with a single request */
  const once = (withinMs?: number) => limit(withinMs)();

  async function retrieve(id: string, within: () => RequestLimit): Promise<ProviderPayment> {
    const sent = stripe.paymentIntents.retrieve(id, {}, within());
    return toProviderPayment(await orThrow(sent, failureOf));
  }

  /** Changes a payment. @returns its state, also if that made the change impossible */
  async function change(
    id: string,
    send: (options: RequestLimit) => Promise<Stripe.PaymentIntent>,
    withinMs?: number,
  ) {
    const within = limit(withinMs);
    try {
      return toProviderPayment(await send(within()));
    } catch (error) {
      if (!isUnexpectedState(error)) throw failureOf(error);
      return retrieve(id, within);
    }
  }

  async function create(payment: NewProviderPayment, withinMs?: number): Promise<ProviderPayment> {
    const { paymentId, attempt, amount, currencyCode, method } = payment;
    const request = {
      amount: toMinorUnits(amount, currencyCode),
      currency: currencyCode.toLowerCase(),
      payment_method: method,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' as const },
      capture_method: 'manual' as const,
      metadata: { payment_id: paymentId },
    };
    const idempotencyKey = `${paymentId}:${attempt}`;
    const options = { ...once(withinMs), idempotencyKey };
    const sent = stripe.paymentIntents.create(request, options);
    const toFailure = (error: unknown) => paymentFailureOf(error, keyedFailureOf);
    return toProviderPayment(await orThrow(sent, toFailure));
  }

  /**
   * Names no payment method. Stripe detaches one that was declined: a repeated request is refused, and
   * cannot charge again.
   */
  async function confirm(id: string, withinMs?: number): Promise<ProviderPayment> {
    const within = limit(withinMs);
    try {
      return toProviderPayment(await stripe.paymentIntents.confirm(id, {}, within()));
    } catch (error) {
      const declined = isDecline(error) ? intentOf(error) : undefined;
      if (declined) return toProviderPayment(declined);
      if (isDecline(error) || isUnexpectedState(error)) return retrieveAfterwards(id, within);
      throw paymentFailureOf(error, failureOf);
    }
  }

  /** A look-up that was not done says nothing about the request before it. */
  const retrieveAfterwards = (id: string, within: ReturnType<typeof limit>) =>
    retrieve(id, within).catch((error) => {
      if (!(error instanceof NotDone)) throw error;
      throw new Error('Stripe: the payment could not be looked up', { cause: error });
    });

  async function cancel(id: string, withinMs?: number): Promise<ProviderPayment> {
    const send = (options: RequestLimit) => stripe.paymentIntents.cancel(id, {}, options);
    const payment = await change(id, send, withinMs);
    if (payment.status === 'captured' || payment.status === 'canceled') return payment;
    const { status } = payment;
    throw new NotCancelable(`Stripe: the payment ${id} cannot be canceled while it is ${status}`);
  }

  async function refund(order: NewProviderRefund, withinMs?: number) {
    const { refundId, attempt, transactionId, amount, currencyCode } = order;
    const request = {
      payment_intent: transactionId,
      amount: toMinorUnits(amount, currencyCode),
      metadata: { refund_id: refundId },
    };
    const idempotencyKey = `${refundId}:${attempt}`;
    const sent = stripe.refunds.create(request, { ...once(withinMs), idempotencyKey });
    const created = toProviderRefund(await orThrow(sent, keyedFailureOf));
    if (!created) throw new Error(`Stripe: the refund of ${transactionId} has no PaymentIntent`);
    return created;
  }

  const refundPages =
    (filter: Stripe.RefundListParams, within: () => RequestLimit) => (page: PageRequest) =>
      stripe.refunds.list({ ...filter, ...page }, within());
  const disputePages =
    (filter: Stripe.DisputeListParams, within: () => RequestLimit) => (page: PageRequest) =>
      stripe.disputes.list({ ...filter, ...page }, within());
  const ofPayment = (transactionId: string) => ({ payment_intent: transactionId });

  return {
    name: settings.name ?? 'stripe',
    timeLimitMs,
    takesOurIds: false,
    create,
    confirm: ({ transactionId }, withinMs) => confirm(transactionId, withinMs),
    lookUp: (transactionId, withinMs) => retrieve(transactionId, limit(withinMs)),
    capture: ({ transactionId: id }, withinMs) =>
      change(id, (options) => stripe.paymentIntents.capture(id, {}, options), withinMs),
    cancel,
    refund,
    refundsOf: (id, withinMs) =>
      allOf(listed(refundPages(ofPayment(id), limit(withinMs)), toProviderRefund)),
    disputesOf: (id, withinMs) =>
      allOf(listed(disputePages(ofPayment(id), limit(withinMs)), toProviderDispute)),
    // In lists of a period each page has the time limit: how long they take is up to the caller.
    listPayments: (period, sendPage) =>
      listed(
        (page) => stripe.paymentIntents.list({ ...createdIn(period), ...page }, once()),
        toListedPayment,
        sendPage,
      ),
    listRefunds: (period, sendPage) =>
      listed(refundPages(createdIn(period), once), toProviderRefund, sendPage),
    listDisputes: (period, sendPage) =>
      listed(disputePages(createdIn(period), once), toProviderDispute, sendPage),
    check: (currencyCodes) => checkAccount(stripe, currencyCodes, limit()),
    parseWebhook: (headers, body) => parseWebhook(stripe, settings.webhookSecret, headers, body),
    close,
  };
}

async function orThrow<T>(sent: Promise<T>, toFailure: (error: unknown) => unknown): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    throw toFailure(error);
  }
}

/** The objects of a list that are ours. */
async function* listed<T extends { readonly id: string }, R>(
  fetchPage: Parameters<typeof pagesOf<T>>[0],
  convert: (object: T) => R | null,
  sendPage: SendPage = sendAtOnce,
): AsyncGenerator<R> {
  const pages = pagesOf<T>((page) => sendPage(() => orThrow(fetchPage(page), failureOf)));
  for await (const object of pages) {
    const converted = convert(object);
    if (converted !== null) yield converted;
  }
}

async function allOf<T>(objects: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const object of objects) all.push(object);
  return all;
}

/** Stripe has whole seconds. Both ends are rounded alike, so that adjacent periods neither overlap nor leave a gap. */
const createdIn = ({ from, to }: Period) => ({
  created: { gte: Math.ceil(from.getTime() / 1000), lt: Math.ceil(to.getTime() / 1000) },
});

function parseWebhook(
  stripe: Stripe,
  secret: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): ProviderEvent {
  const header = headers['stripe-signature'] ?? '';
  // Not `constructEvent`: it refuses thin events, which are about nothing of ours.
  const { signature } = stripe.webhooks;
  if (!signature) throw new Error('the SDK cannot verify signatures');
  try {
    signature.verifyHeader(body, header, secret, webhookAgeMaxSeconds);
    const { id, data } = JSON.parse(body.toString('utf8'));
    return { eventId: String(id), ...subjectOf(data?.object) };
  } catch (error) {
    throw new WebhookRefused((error as Error).message);
  }
}
