import type { EntityManager } from '@mikro-orm/postgresql';
import { columnsOf } from '../../shared/database/columns.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { OrderApp } from '../context.js';
import { toPaymentRef } from './payment-ref.js';
import {
  KeyUsedUp,
  NotDone,
  PermanentRefusal,
  type ProviderPayment,
} from './provider/payment-provider.js';
import { stepMaxMs } from './provider/step-max.js';
import { recordAnswer } from './record-answer.js';
import { isPayableSql } from './state/payable.js';
import { Payment } from './state/payment.js';
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
export async function authorize(app: OrderApp, payment: Payment): Promise<StepResult> {
  const created = payment.providerTransactionId ? payment : await create(app, payment);
  if (created.status !== 'PENDING') return { payment: created, goesOn: true };
  failPoint('payment created, not confirmed');
  const transactionId = created.providerTransactionId as string;
  try {
    const answer = await app.provider.confirm(toPaymentRef(created, transactionId));
    failPoint('payment authorized, not recorded');
    return recordAnswer(app, created, answer);
  } catch (error) {
    if (!(error instanceof NotDone) && !(error instanceof PermanentRefusal)) throw error;
    return { payment: await failUncharged(app, created, error), goesOn: true };
  }
}

/** @returns the payment with the provider's id, stored; or FAILED */
async function create(app: OrderApp, payment: Payment): Promise<Payment> {
  let created: ProviderPayment;
  try {
    created = await createAtProvider(app, payment);
  } catch (error) {
    return failUncharged(app, payment, error);
  }
  failPoint('payment created, id not stored');
  const { transactionId } = created;
  const stored = await storeTransactionId(app, payment, transactionId);
  if (stored) return stored;
  // The order ended meanwhile, or is about to.
  const change = { payment, transactionId, dueAfterMs: 0 };
  const failed = { ...change, to: 'FAILED', failure: 'ORDER_ENDED' } as const;
  return (await app.paymentWrites.change(failed)) ?? readPayment(app, payment.id);
}

/**
 * A key that the provider has used up for a fault is replaced without a look: an unconfirmed payment is
 * harmless, and reconciliation cancels it.
 */
async function createAtProvider({ provider }: OrderApp, payment: Payment) {
  const { id: paymentId, amountValue: amount, currencyCode, method } = payment;
  const untilMs = performance.now() + provider.timeLimitMs;
  let attempt = 0;
  for (let n = 1; ; n++) {
    try {
      return await provider.create({ paymentId, attempt, amount, currencyCode, method });
    } catch (error) {
      const isLast = n === createsMax || performance.now() + notDonePauseMs > untilMs;
      const isRepeatable = error instanceof KeyUsedUp || error instanceof NotDone;
      if (isLast || !isRepeatable) throw error;
      if (error instanceof KeyUsedUp) attempt += 1;
      else await new Promise((resolve) => setTimeout(resolve, notDonePauseMs * Math.random() * n));
    }
  }
}

/** @returns the payment; null if the order can no longer be paid: the hold has to outlast the confirmation */
async function storeTransactionId(
  { orm, provider }: OrderApp,
  { id, orderId }: Payment,
  transactionId: string,
): Promise<Payment | null> {
  const em = orm.em.fork();
  const [stored] = await sqlPrepared<object>(em, storeTransactionIdSql(em), [
    id,
    orderId,
    transactionId,
    provider.timeLimitMs,
  ]);
  return stored ? em.map(Payment, stored as never) : null;
}

const storeTransactionIdSql = (em: EntityManager) => `
  update payment set provider_transaction_id = $3, updated_at = now()
  where id = $1 and status = 'PENDING' and provider_transaction_id is null
    -- Before a worker may take it up (stepMaxMs), the confirmation has to end.
    and created_at > now() - 2 * $4::float8 * interval '1 ms'
    and exists (select from customer_order where id = $2 and ${isPayableSql('$4')})
  returning ${columnsOf(em, Payment)}`;

/** Nothing was confirmed: the payment failed. A worker cancels it at the provider. */
async function failUncharged(app: OrderApp, payment: Payment, error: unknown): Promise<Payment> {
  const isRefused = error instanceof PermanentRefusal;
  app.logger.warn({ err: error, paymentId: payment.id }, 'payment was not charged');
  const failed = await app.paymentWrites.change({
    payment,
    to: 'FAILED',
    failure: isRefused ? 'DECLINED' : 'NOT_CHARGED',
    reason: isRefused ? error.message : undefined,
    dueAfterMs: stepMaxMs(app.provider.timeLimitMs),
  });
  return failed ?? readPayment(app, payment.id);
}
