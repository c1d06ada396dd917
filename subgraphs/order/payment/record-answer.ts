import { sqlPrepared } from '../../shared/database/sql.js';
import type { OrderApp } from '../context.js';
import { stepMaxMs } from './payment-ref.js';
import type { ProviderPayment } from './provider/payment-provider.js';
import { changePayment, type PaymentChange } from './state/change-payments.js';
import type { Payment } from './state/payment.js';

/**
 * Records what the provider answered about a PENDING payment.
 *
 * @returns whether it is decided; else it waits for the customer or the bank
 */
export async function recordAnswer(
  app: OrderApp,
  payment: Payment,
  answer: ProviderPayment,
): Promise<boolean> {
  const change = changeFor(app, payment, answer);
  if (change) await changePayment(app.orm.em.fork(), change);
  else await recordWaiting(app, payment.id, answer);
  return change !== null;
}

/** @returns null while the payment is still undecided */
function changeFor(
  { providers }: OrderApp,
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

/** Stores the secret with which the customer acts, if that is what the payment waits for. */
async function recordWaiting(
  { orm }: OrderApp,
  paymentId: string,
  { transactionId, clientSecret }: ProviderPayment,
): Promise<void> {
  await sqlPrepared(
    orm.em.fork(),
    `update payment set provider_transaction_id = $2, client_secret = $3, updated_at = now()
     where id = $1 and status = 'PENDING'`,
    [paymentId, transactionId, clientSecret ?? null],
  );
}
