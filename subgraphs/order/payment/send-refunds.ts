import type { EntityManager } from '@mikro-orm/postgresql';
import { sql, sqlCount } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import { type DueJobs, runDueJobs } from '../../shared/runtime/due-jobs.js';
import type { OrderApp } from '../context.js';
import { lockPayment } from '../locks.js';
import { recordEvents } from '../order/order-event.js';
import { assertTransition } from '../state-machine.js';
import { PermanentRefusal } from './provider/payment-provider.js';
import { paymentTransitions, refundTransitions } from './status.js';

interface DueRefund {
  id: string;
  paymentId: string;
  orderId: string;
  shopOrderId: string | null;
  amount: string;
  currencyCode: string;
  transactionId: string;
}

export const refundJobs: DueJobs = {
  table: 'refund',
  unfinished: `status = 'PENDING'`,
  join: {
    table: 'payment as p',
    on: 'p.id = job.payment_id and p.provider_transaction_id is not null',
  },
  returning: `job.id, p.id as "paymentId", p.order_id as "orderId",
    job.shop_order_id as "shopOrderId", job.amount, p.currency_code as "currencyCode",
    p.provider_transaction_id as "transactionId"`,
  batchMax: 16,
  retryFirstMs: 4000,
  retryMaxMs: 300_000,
};

/**
 * Sends the refunds that are due, each with its id as the idempotency key, so that the provider
 * executes it once. A refund without a response is postponed and sent again.
 *
 * @returns the number of refunds tried
 */
export function sendRefunds(
  app: OrderApp,
  isStopping: () => boolean = () => false,
): Promise<number> {
  return runDueJobs<DueRefund>(app.orm.em, refundJobs, isStopping, (refund) => send(app, refund));
}

async function send(app: OrderApp, refund: DueRefund): Promise<void> {
  const { id: refundId, transactionId, amount, currencyCode } = refund;
  try {
    await app.provider.refund({ refundId, transactionId, amount, currencyCode });
    failPoint('refund sent, not recorded');
    await transact(app.orm.em, (em) => recordRefunded(em, refund));
  } catch (error) {
    // A permanent refusal needs a person: the customer is waiting for the money.
    const level = error instanceof PermanentRefusal ? 'error' : 'warn';
    app.logger[level]({ err: error, refundId }, 'refund failed; it will be retried');
  }
}

/** The payment becomes REFUNDED once its completed refunds add up to its amount. */
async function recordRefunded(em: EntityManager, refund: DueRefund): Promise<void> {
  assertTransition(refundTransitions, 'PENDING', 'COMPLETED');
  assertTransition(paymentTransitions, 'COMPLETED', 'REFUNDED');
  await lockPayment(em, refund.paymentId);
  const first = await sqlCount(
    em,
    `update refund set status = 'COMPLETED', updated_at = now()
     where id = $1 and status = 'PENDING'`,
    [refund.id],
  );
  if (first === 0) return;
  await sql(
    em,
    `update payment set status = 'REFUNDED', updated_at = now()
     where id = $1 and status = 'COMPLETED' and amount = (
       select sum(amount) from refund where payment_id = $1 and status = 'COMPLETED')`,
    [refund.paymentId],
  );
  const { orderId, shopOrderId, amount, currencyCode } = refund;
  const about = { orderId, ...(shopOrderId && { shopOrderId }) };
  const what = { actor: 'payments', reason: `${amount} ${currencyCode}` };
  await recordEvents(em, [{ ...about, type: 'REFUND_COMPLETED', ...what }]);
}
