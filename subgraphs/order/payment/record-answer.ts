import { columnsOf } from '../../shared/database/columns.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { statement } from '../../shared/database/statement.js';
import type { PaymentApp } from './payment-app.js';
import type { ProviderPayment } from './provider/payment-provider.js';
import { stepMaxMs } from './provider/step-max.js';
import type { PaymentChange } from './state/change-payments.js';
import { Payment } from './state/payment.js';
import { storeTransactionsSql } from './state/provider-transaction.js';
import { goOn, type StepResult } from './step-result.js';

/** Records what the provider answered about a PENDING payment. */
export async function recordAnswer(
  app: PaymentApp,
  payment: Payment,
  answer: ProviderPayment,
): Promise<StepResult> {
  const change = changeFor(app, payment, answer);
  if (change) return goOn(app, await app.paymentWrites.change(change), payment);
  if (isRecorded(payment, answer)) return { payment, goesOn: false };
  const waiting = await recordWaiting(app, payment, answer);
  return waiting ? { payment: waiting, goesOn: false } : goOn(app, null, payment);
}

/** @returns null while the payment is still undecided */
function changeFor(
  { providers }: PaymentApp,
  payment: Payment,
  { status, transactionId, declineCode, reason }: ProviderPayment,
): PaymentChange | null {
  const change = { payment, transactionId };
  switch (status) {
    case 'authorized':
    case 'captured':
      return {
        ...change,
        to: 'AUTHORIZED',
        dueAfterMs: stepMaxMs(providers.of(payment.provider).timeLimitMs),
      };
    case 'declined':
      // One payment at the provider is one attempt: a worker cancels it.
      return {
        ...{ ...change, to: 'FAILED', failure: 'DECLINED', dueAfterMs: 0 },
        ...{ declineCode: declineCode ?? 'GENERIC', reason },
      };
    case 'canceled':
      return { ...change, to: 'FAILED', failure: 'NOT_CHARGED' };
    default:
      return null;
  }
}

const isRecorded = (
  { providerTransactionId, clientSecret }: Payment,
  answer: ProviderPayment,
): boolean =>
  providerTransactionId === answer.transactionId && clientSecret === (answer.clientSecret ?? null);

/** Stores the secret with which the customer acts, if that is what the payment waits for. */
async function recordWaiting(
  { orm }: PaymentApp,
  { customerId, id }: Payment,
  { transactionId, clientSecret }: ProviderPayment,
): Promise<Payment | null> {
  const em = orm.em.fork();
  const [waiting] = await sqlPrepared<object>(em, recordWaitingSql(em), [
    customerId,
    id,
    transactionId,
    clientSecret ?? null,
  ]);
  return waiting ? em.map(Payment, waiting as never) : null;
}

const recordWaitingSql = statement(
  (em) => `
  with waiting as (
    update payment set provider_transaction_id = $3, client_secret = $4, updated_at = now()
    where customer_id = $1 and id = $2 and status = 'PENDING' returning *
  ), transactions as (${storeTransactionsSql('waiting')}
  )
  select ${columnsOf(em, Payment)} from waiting`,
);
