import { randomUUID } from 'node:crypto';
import {
  Declined,
  KeyUsedUp,
  type NewProviderPayment,
  type NewProviderRefund,
  NotDone,
  type PaymentRef,
  type Period,
  PermanentRefusal,
  UnknownMethod,
} from '../../../subgraphs/order/payment/provider/payment-provider.js';
import { createStripeProvider } from '../../../subgraphs/order/payment/provider/stripe-provider.js';
import { startStripeServer } from './stripe-server.js';

const impatientMs = 400;

export type StripeSetup = Awaited<ReturnType<typeof startWithProvider>>;

/** A payment that can be created and, with its `transactionId`, changed. */
export type TestPayment = NewProviderPayment & PaymentRef;

/** The double of Stripe, with providers that use it. */
export async function startWithProvider() {
  const server = await startStripeServer();
  const { secret: webhookSecret } = server.webhooks.settings;
  const settings = { secretKey: 'sk_test_x', webhookSecret, apiUrl: server.url };
  const provider = createStripeProvider(settings);
  /** with a short time limit, for requests without an answer */
  const impatient = createStripeProvider({ ...settings, timeLimitMs: impatientMs });

  const newPayment = (method = 'pm_card_visa', amount = '19.90', currencyCode = 'USD') => ({
    paymentId: randomUUID(),
    attempt: 0,
    amount,
    currencyCode,
    method,
  });

  async function created(...given: Parameters<typeof newPayment>): Promise<TestPayment> {
    const payment = newPayment(...given);
    return { ...payment, transactionId: (await provider.create(payment)).transactionId };
  }
  async function confirmed(...given: Parameters<typeof newPayment>): Promise<TestPayment> {
    const payment = await created(...given);
    await provider.confirm(payment);
    return payment;
  }
  async function captured(...given: Parameters<typeof newPayment>): Promise<TestPayment> {
    const payment = await confirmed(...given);
    await provider.capture(payment);
    return payment;
  }
  /** Payments in every state that a PaymentIntent can have. */
  const inState = {
    unconfirmed: () => created(),
    actionRequired: () => confirmed('pm_card_authenticationRequired'),
    pending: () => confirmed('pm_card_processing'),
    authorized: () => confirmed(),
    captured: () => captured(),
    declined: () => confirmed('pm_card_chargeDeclined'),
    async canceled() {
      const payment = await confirmed();
      await provider.cancel(payment.transactionId);
      return payment;
    },
    async lapsed() {
      const payment = await confirmed();
      server.lapse(payment.transactionId);
      return payment;
    },
  };

  const newRefund = (payment: TestPayment, amount = payment.amount): NewProviderRefund => ({
    refundId: randomUUID(),
    attempt: 0,
    transactionId: payment.transactionId,
    amount,
    currencyCode: payment.currencyCode,
  });

  return {
    server,
    settings,
    provider,
    impatient,
    newPayment,
    created,
    confirmed,
    captured,
    inState,
    newRefund,
    /** a period that ends in ms from now, by the clock of the double */
    periodUntil: (endsInMs: number): Period => ({
      from: new Date(server.now() - 3600_000),
      to: new Date(server.now() + endsInMs),
    }),
    async stop() {
      await server.stop();
      await Promise.all([provider.close(), impatient.close()]);
    },
  };
}

/** What a promise is rejected with. @throws an error if it is fulfilled */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  const result = await promise.then(
    (value) => ({ value }),
    (error: Error) => error,
  );
  if (result instanceof Error) return result;
  throw new Error(`not rejected, but ${JSON.stringify(result.value)}`);
}

type Kind = 'refused' | 'not done' | 'declined' | 'unknown method' | 'key used up' | 'unknown';

/** What an error says about the request; `unknown` if nobody knows whether it was executed. */
export function kindOf(error: Error): Kind {
  if (error instanceof PermanentRefusal) return 'refused';
  if (error instanceof NotDone) return 'not done';
  if (error instanceof Declined) return 'declined';
  if (error instanceof UnknownMethod) return 'unknown method';
  return error instanceof KeyUsedUp ? 'key used up' : 'unknown';
}

/** How a promise fails. @throws an error if it is fulfilled */
export const failureOf = async (promise: Promise<unknown>) => kindOf(await rejectionOf(promise));

export async function collect<T>(objects: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const object of objects) all.push(object);
  return all;
}
