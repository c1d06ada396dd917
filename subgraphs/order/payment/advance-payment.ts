import { orderKeyOf, type RowKey } from '../row-key.js';
import { authorize } from './authorize.js';
import { commitAndCapture } from './commit-and-capture.js';
import { followSettled } from './follow-settled.js';
import type { PaymentApp } from './payment-app.js';
import { settlePending } from './settle-pending.js';
import type { Payment } from './state/payment.js';
import { isOfOtherPayment } from './state/provider-transaction.js';
import { failuresOfMethod } from './state/status.js';
import { readPayment, type StepResult } from './step-result.js';
import { cancelDeclinedCheckout, closeAtProvider } from './void-payment.js';

/*
 * The steps of a payment, by its status; each with its compensation in its file. Every step can be repeated
 * by any process, so that another process completes what one left half-way: SQL guards each transition, and
 * the provider decides between a confirmation and a cancellation. No transaction is open during a call to
 * the provider or the warehouse subgraph.
 *
 * PENDING             authorize.ts, by the process that began it; settle-pending.ts, by all others
 * AUTHORIZED          commit-and-capture.ts; if nothing is sold to it, void-payment.ts
 * COMPLETED, REFUNDED follow-settled.ts: refunds and disputes
 * FAILED, VOIDED      void-payment.ts: nobody can complete it later
 */

// PENDING → AUTHORIZED → COMPLETED, and steps that another process did first.
const stepsMax = 5;

/** The payment afterwards, and its order if the last step changed it. */
export type Advanced = Pick<StepResult, 'payment' | 'order'>;

/**
 * Asks for the money of a payment that this process has just begun, and processes it as far as possible. It
 * is still PENDING or AUTHORIZED afterwards if the provider or the warehouse did not respond.
 */
export const authorizeAndAdvance = (app: PaymentApp, payment: Payment): Promise<Advanced> =>
  attempt(app, payment, async () => takeSteps(app, await authorize(app, payment)));

/** Processes a payment as far as possible, without asking for money. */
export const advancePayment = (app: PaymentApp, payment: Payment): Promise<Advanced> =>
  attempt(app, payment, () => takeSteps(app, { payment, goesOn: true }));

/** As `advancePayment`, and then completes what is left to do with the provider. For the worker. */
export async function finishPayment(app: PaymentApp, key: RowKey): Promise<Payment> {
  const { payment } = await attempt(app, key, async () => {
    const before = await readPayment(app, key);
    const advanced = await takeSteps(app, { payment: before, goesOn: true });
    await finish(app, advanced.payment);
    return { payment: await readPayment(app, key) };
  });
  return payment;
}

async function attempt(
  app: PaymentApp,
  key: RowKey,
  work: () => Promise<Advanced>,
): Promise<Advanced> {
  try {
    return await work();
  } catch (error) {
    const facts = { err: error, paymentId: key.id };
    if (isOfOtherPayment(error)) {
      app.logger.error(facts, 'provider answered with the transaction of another payment');
    } else {
      app.logger.warn(facts, 'payment stopped half-way; it will be retried');
    }
    return { payment: await readPayment(app, key) };
  }
}

async function takeSteps(app: PaymentApp, from: StepResult): Promise<StepResult> {
  let result = from;
  for (let step = 0; step < stepsMax && result.goesOn; step++) {
    result = await takeStep(app, result.payment);
  }
  return result;
}

async function takeStep(app: PaymentApp, payment: Payment): Promise<StepResult> {
  switch (payment.status) {
    case 'PENDING':
      return settlePending(app, payment);
    case 'AUTHORIZED':
      return commitAndCapture(app, payment);
    case 'FAILED':
      if (
        payment.endsOrder &&
        failuresOfMethod.includes(payment.failure) &&
        payment.nextAttemptAt
      ) {
        await cancelDeclinedCheckout(app, orderKeyOf(payment));
      }
      return { payment, goesOn: false };
    default:
      return { payment, goesOn: false };
  }
}

/** What a customer need not wait for. */
async function finish(app: PaymentApp, payment: Payment): Promise<void> {
  if (!payment.nextAttemptAt) return;
  switch (payment.status) {
    case 'FAILED':
    case 'VOIDED':
      return closeAtProvider(app, payment);
    case 'COMPLETED':
    case 'REFUNDED':
      return followSettled(app, payment);
    default:
  }
}
