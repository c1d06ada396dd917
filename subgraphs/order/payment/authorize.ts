import { sqlPrepared } from '../../shared/database/sql.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { PaymentApp } from './payment-app.js';
import { toPaymentRef } from './payment-ref.js';
import {
  AccessRefused,
  Declined,
  KeyUsedUp,
  NotDone,
  PermanentRefusal,
  type ProviderPayment,
  UnknownMethod,
} from './provider/payment-provider.js';
import { stepMaxMs } from './provider/step-max.js';
import { recordAnswer } from './record-answer.js';
import { isPayableSql } from './state/payable.js';
import type { Payment } from './state/payment.js';
import { readPayment, type StepResult } from './step-result.js';

const createsMax = 4;
const notDonePauseMs = 200;

/**
 * Asks for the money of a payment that this process has just begun, in two steps: the payment is created at
 * the provider, which is harmless, and its id is stored; then it is confirmed. Nobody else confirms it: if
 * this process stops in between, a worker cancels it, because the customer may be gone
 * (settle-pending.ts).
 *
 * @throws any error after a confirmation without an answer: the payment stays PENDING, and a worker looks it up
 */
export async function authorize(app: PaymentApp, payment: Payment): Promise<StepResult> {
  const created = payment.providerTransactionId ? payment : await create(app, payment);
  if (created.status !== 'PENDING') return { payment: created, goesOn: true };
  failPoint('payment created, not confirmed');
  const transactionId = created.providerTransactionId as string;
  try {
    const answer = await app.providers.of(payment.provider).confirm({
      ...toPaymentRef(created, transactionId),
      isWanted: () => isPayable(app, created),
    });
    failPoint('payment authorized, not recorded');
    return recordAnswer(app, created, answer);
  } catch (error) {
    if (!uncharged.some((each) => error instanceof each)) throw error;
    return { payment: await failUncharged(app, created, error), goesOn: true };
  }
}

/** Whether the order of a payment can still be paid by a call that begins now. */
async function isPayable({ orm, providers }: PaymentApp, payment: Payment): Promise<boolean> {
  const { timeLimitMs } = providers.of(payment.provider);
  const values = [payment.customerId, payment.orderId, timeLimitMs];
  return (await sqlPrepared(orm.em.fork(), payableSql, values)).length > 0;
}

const payableSql = `select 1 from customer_order
  where customer_id = $1 and id = $2 and ${isPayableSql('$3')}`;

/** @returns the payment with the provider's id, stored; or FAILED */
async function create(app: PaymentApp, payment: Payment): Promise<Payment> {
  let created: ProviderPayment;
  try {
    created = await createAtProvider(app, payment);
  } catch (error) {
    return failUncharged(app, payment, error);
  }
  failPoint('payment created, id not stored');
  const { transactionId } = created;
  const stored = await app.paymentWrites.storeTransactionId({ payment, transactionId });
  if (stored) return stored;
  // The order ended meanwhile, or is about to; or the creation took so long that a worker may take it up.
  const { timeLimitMs } = app.providers.of(payment.provider);
  const isLate = Date.now() - payment.createdAt.getTime() > 2 * timeLimitMs;
  const failure = isLate ? 'NOT_CHARGED' : 'ORDER_ENDED';
  const failed = { payment, transactionId, dueAfterMs: 0, to: 'FAILED', failure } as const;
  return (await app.paymentWrites.change(failed)) ?? readPayment(app, payment);
}

/**
 * A key that the provider has used up for a fault is replaced without a look: an unconfirmed payment is
 * harmless, and reconciliation cancels it.
 */
async function createAtProvider({ providers }: PaymentApp, payment: Payment) {
  const provider = providers.of(payment.provider);
  const { id: paymentId, amountValue: amount, currencyCode, method } = payment;
  const untilMs = performance.now() + provider.timeLimitMs;
  let attempt = 0;
  for (let n = 1; ; n++) {
    try {
      return await provider.create({ paymentId, attempt, amount, currencyCode, method });
    } catch (error) {
      const isLast = n === createsMax || performance.now() + notDonePauseMs > untilMs;
      const isNotDone = error instanceof NotDone && !(error instanceof AccessRefused);
      const isRepeatable = error instanceof KeyUsedUp || isNotDone;
      if (isLast || !isRepeatable) throw error;
      if (error instanceof KeyUsedUp) attempt += 1;
      else await new Promise((resolve) => setTimeout(resolve, notDonePauseMs * Math.random() * n));
    }
  }
}

/** Errors after which it is certain that nothing was charged. */
const uncharged = [NotDone, PermanentRefusal, Declined, UnknownMethod];

/** Nothing was charged: the payment failed. A worker cancels it at the provider. */
async function failUncharged(app: PaymentApp, payment: Payment, error: unknown): Promise<Payment> {
  app.logger.warn({ err: error, paymentId: payment.id }, 'payment was not charged');
  app.faults.record(payment, error);
  const reason = uncharged.some((each) => error instanceof each) ? (error as Error).message : null;
  const failed = await app.paymentWrites.change({
    ...{ payment, to: 'FAILED', ...failureOf(error), reason: reason ?? undefined },
    dueAfterMs: stepMaxMs(app.providers.of(payment.provider).timeLimitMs),
  });
  return failed ?? readPayment(app, payment);
}

/** Only a decline is the customer’s. A fault of ours leaves the order as it is, to be paid again. */
function failureOf(error: unknown) {
  if (error instanceof Declined) return { failure: 'DECLINED', declineCode: error.code } as const;
  if (error instanceof UnknownMethod) return { failure: 'UNKNOWN_METHOD' } as const;
  return { failure: 'NOT_CHARGED' } as const;
}
