import { requireById } from '../../shared/database/require-by-id.js';
import type { OrderApp } from '../context.js';
import { authorize } from './authorize.js';
import { commitAndCapture } from './commit-and-capture.js';
import { followSettled } from './follow-settled.js';
import { settlePending } from './settle-pending.js';
import { Payment } from './state/payment.js';
import { failuresOfMethod } from './state/status.js';
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

/**
 * Asks for the money of a payment that this process has just begun, and processes it as far as possible.
 *
 * @returns the payment afterwards; still PENDING or AUTHORIZED if the provider or the warehouse did not respond
 */
export async function authorizeAndAdvance(app: OrderApp, paymentId: string): Promise<Payment> {
  return attempt(app, paymentId, async () => {
    const isDecided = await authorize(app, await readPayment(app, paymentId));
    if (isDecided) await takeSteps(app, paymentId);
  });
}

/** Processes a payment as far as possible, without asking for money. @returns the payment afterwards */
export const advancePayment = (app: OrderApp, paymentId: string): Promise<Payment> =>
  attempt(app, paymentId, () => takeSteps(app, paymentId));

/** As `advancePayment`, and then completes what is left to do with the provider. For the worker. */
export const finishPayment = (app: OrderApp, paymentId: string): Promise<Payment> =>
  attempt(app, paymentId, async () => {
    await takeSteps(app, paymentId);
    await finish(app, await readPayment(app, paymentId));
  });

async function attempt(
  app: OrderApp,
  paymentId: string,
  work: () => Promise<void>,
): Promise<Payment> {
  try {
    await work();
  } catch (error) {
    app.logger.warn({ err: error, paymentId }, 'payment stopped half-way; it will be retried');
  }
  return readPayment(app, paymentId);
}

async function takeSteps(app: OrderApp, paymentId: string): Promise<void> {
  for (let step = 0; step < stepsMax; step++) {
    if (!(await takeStep(app, await readPayment(app, paymentId)))) return;
  }
}

/** @returns whether another step may follow: this one is done, here or by another process */
async function takeStep(app: OrderApp, payment: Payment): Promise<boolean> {
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
        await cancelDeclinedCheckout(app, payment.orderId);
      }
      return false;
    default:
      return false;
  }
}

/** What a customer need not wait for. */
async function finish(app: OrderApp, payment: Payment): Promise<void> {
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

const readPayment = (app: OrderApp, id: string) => requireById(app.orm.em, Payment, id);
