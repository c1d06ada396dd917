import { sqlPrepared } from '../../shared/database/sql.js';
import type { PaymentApp } from './payment-app.js';
import { stepMaxMs } from './provider/step-max.js';
import { recordAnswer } from './record-answer.js';
import type { Payment } from './state/payment.js';
import { goOn, type StepResult } from './step-result.js';
import { voidPayment } from './void-payment.js';

interface Situation {
  /** whether the order still waits for money */
  readonly isPayable: boolean;
  /** whether the process that began the payment may still be about to confirm it */
  readonly mayBeConfirmed: boolean;
}

/**
 * Settles a PENDING payment that another process began: by what the provider knows of it, never by asking
 * for the money. One that was not confirmed is canceled, because its customer may be gone; one that waits
 * for the customer or the bank is canceled once the order no longer waits for money.
 */
export async function settlePending(app: PaymentApp, payment: Payment): Promise<StepResult> {
  const waits = { payment, goesOn: false };
  const { isPayable, mayBeConfirmed } = await readSituation(app, payment);
  if (payment.providerTransactionId === null) {
    return mayBeConfirmed ? waits : voidPayment(app, payment, 'FAILED', 'NOT_CHARGED');
  }
  const answer = await app.providers.of(payment.provider).lookUp(payment.providerTransactionId);
  const isUndecided = ['unconfirmed', 'actionRequired', 'pending'].includes(answer.status);
  if (isUndecided && !isPayable) return voidPayment(app, payment, 'FAILED', 'ORDER_ENDED');
  if (payment.declinedAt && (isUndecided || answer.status === 'canceled')) {
    return recordDecline(app, payment);
  }
  if (answer.status === 'unconfirmed') {
    return mayBeConfirmed ? waits : voidPayment(app, payment, 'FAILED', 'NOT_CHARGED');
  }
  return recordAnswer(app, payment, answer);
}

/**
 * One payment at the provider is one attempt, whatever the customer tries next in a client of the provider. It is
 * recorded first, so that it counts and ends a checkout that pays at once; a worker then cancels it.
 */
async function recordDecline(app: PaymentApp, payment: Payment): Promise<StepResult> {
  const decline = { failure: 'DECLINED', declineCode: 'GENERIC', dueAfterMs: 0 } as const;
  const changed = await app.paymentWrites.change({ payment, to: 'FAILED', ...decline });
  return goOn(app, changed, payment);
}

async function readSituation({ orm, providers }: PaymentApp, payment: Payment): Promise<Situation> {
  const [situation] = await sqlPrepared<Situation>(orm.em.fork(), situationSql, [
    payment.customerId,
    payment.id,
    stepMaxMs(providers.of(payment.provider).timeLimitMs),
  ]);
  return situation as Situation;
}

const situationSql = `
  select o.status = 'PENDING' as "isPayable",
    p.created_at > now() - $3::float8 * interval '1 ms' as "mayBeConfirmed"
  from payment p join customer_order o on o.customer_id = p.customer_id and o.id = p.order_id
  where p.customer_id = $1 and p.id = $2`;
