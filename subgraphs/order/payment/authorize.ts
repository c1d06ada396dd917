import { sqlPrepared } from '../../shared/database/sql.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { OrderApp } from '../context.js';
import { isPayableSql } from './payable.js';
import { stepMaxMs, toPaymentRef } from './payment-ref.js';
import {
  AccessRefused,
  Declined,
  KeyUsedUp,
  NotDone,
  PermanentRefusal,
  type ProviderPayment,
  UnknownMethod,
} from './provider/payment-provider.js';
import { recordAnswer } from './record-answer.js';
import { changePayment } from './state/change-payments.js';
import type { Payment } from './state/payment.js';

const createsMax = 4;
const notDonePauseMs = 200;

/**
 * Asks for the money of a payment that this process has just begun, in two steps: the payment is created at
 * the provider, which is harmless, and its id is stored; then it is confirmed. Nobody else confirms it: if
 * this process stops in between, a worker cancels it, because the customer may be gone
 * (settle-pending.ts).
 *
 * After a confirmation without an answer the payment stays PENDING, and a worker looks it up.
 *
 * @returns whether it is authorized, or failed
 */
export async function authorize(app: OrderApp, payment: Payment): Promise<boolean> {
  const transactionId = payment.providerTransactionId ?? (await create(app, payment));
  if (transactionId === null) return true;
  failPoint('payment created, not confirmed');
  try {
    const answer = await app.providers
      .of(payment.provider)
      .confirm(toPaymentRef(payment, transactionId));
    failPoint('payment authorized, not recorded');
    return recordAnswer(app, payment, answer);
  } catch (error) {
    if (!uncharged.some((each) => error instanceof each)) throw error;
    await failUncharged(app, payment, error);
    return true;
  }
}

/** @returns the provider's id, stored; null if the payment failed */
async function create(app: OrderApp, payment: Payment): Promise<string | null> {
  let created: ProviderPayment;
  try {
    created = await createAtProvider(app, payment);
  } catch (error) {
    await failUncharged(app, payment, error);
    return null;
  }
  failPoint('payment created, id not stored');
  const { transactionId } = created;
  if (await storeTransactionId(app, payment, transactionId)) return transactionId;
  // The order ended meanwhile, or is about to.
  const change = { payment, transactionId, dueAfterMs: 0 };
  await changePayment(app.orm.em.fork(), { ...change, to: 'FAILED', failure: 'ORDER_ENDED' });
  return null;
}

/**
 * A key that the provider has used up for a fault is replaced without a look: an unconfirmed payment is
 * harmless, and reconciliation cancels it.
 */
async function createAtProvider({ providers }: OrderApp, payment: Payment) {
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

/** @returns whether the order can still be paid: the hold outlasts the confirmation */
async function storeTransactionId(
  { orm, providers }: OrderApp,
  { id, orderId, provider }: Payment,
  transactionId: string,
): Promise<boolean> {
  const stored = await sqlPrepared(orm.em.fork(), storeTransactionIdSql, [
    id,
    orderId,
    transactionId,
    providers.of(provider).timeLimitMs,
  ]);
  return stored.length > 0;
}

const storeTransactionIdSql = `
  update payment set provider_transaction_id = $3, updated_at = now()
  where id = $1 and status = 'PENDING' and provider_transaction_id is null
    -- Before a worker may take it up (stepMaxMs), the confirmation has to end.
    and created_at > now() - 2 * $4::float8 * interval '1 ms'
    and exists (select from customer_order where id = $2 and ${isPayableSql('$4')})
  returning id`;

/** Errors after which it is certain that nothing was charged. */
const uncharged = [NotDone, PermanentRefusal, Declined, UnknownMethod];

/** Nothing was charged: the payment failed. A worker cancels it at the provider. */
async function failUncharged(app: OrderApp, payment: Payment, error: unknown): Promise<void> {
  app.logger.warn({ err: error, paymentId: payment.id }, 'payment was not charged');
  app.faults.record(payment, error);
  const reason = uncharged.some((each) => error instanceof each) ? (error as Error).message : null;
  await changePayment(app.orm.em.fork(), {
    ...{ payment, to: 'FAILED', ...failureOf(error), reason: reason ?? undefined },
    dueAfterMs: stepMaxMs(app.providers.of(payment.provider).timeLimitMs),
  });
}

/** Only a decline is the customer’s. A fault of ours leaves the order as it is, to be paid again. */
function failureOf(error: unknown) {
  if (error instanceof Declined) return { failure: 'DECLINED', declineCode: error.code } as const;
  if (error instanceof UnknownMethod) return { failure: 'UNKNOWN_METHOD' } as const;
  return { failure: 'NOT_CHARGED' } as const;
}
