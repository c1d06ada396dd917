import { type EntityManager, sqlCount } from '../../shared/database.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/change-status.js';
import { Payment, type PaymentStatus } from './payment.js';

/**
 * Takes a payment as far as it goes: authorize → commit the reservation → capture. Each step may be
 * taken again, by any process, so that what one left half-way another ends; each arrow is guarded
 * in SQL. No transaction is open while the provider or the warehouse subgraph is asked.
 *
 * @returns the payment as it is then; still PENDING or AUTHORIZED where a step gave no answer
 */
export async function settlePayment(app: OrderApp, paymentId: string): Promise<Payment> {
  const em = app.orm.em.fork();
  try {
    await authorize(app, em, await read(em, paymentId));
    await sell(app, em, await read(em, paymentId));
  } catch (error) {
    app.logger.warn({ err: error, paymentId }, 'a payment stopped half-way; it is taken up again');
  }
  return read(em, paymentId);
}

async function authorize(app: OrderApp, em: EntityManager, payment: Payment): Promise<void> {
  if (payment.status !== 'PENDING') return;
  const answer = await app.provider.authorize({
    paymentId: payment.id,
    amount: payment.amountValue,
    currencyCode: payment.currencyCode,
    method: payment.method,
  });
  const declined = answer.status === 'declined';
  await advance(em, payment.id, 'PENDING', declined ? 'FAILED' : 'AUTHORIZED', {
    transactionId: answer.transactionId,
    declineReason: declined ? answer.reason : null,
  });
}

/** The reservation decides: only the payment that commits it takes money. */
async function sell(app: OrderApp, em: EntityManager, payment: Payment): Promise<void> {
  if (payment.status !== 'AUTHORIZED') return;
  const transactionId = payment.providerTransactionId as string;
  const reservation = await app.reservations.commit(payment.orderId, payment.id);
  if (reservation.state === 'COMMITTED' && reservation.paymentId === payment.id) {
    await app.provider.capture(transactionId);
    await complete(app, em, payment);
  } else {
    await app.provider.void(transactionId);
    await advance(em, payment.id, 'AUTHORIZED', 'VOIDED');
  }
}

/** The money is taken: the payment and its order change in one commit. */
async function complete(app: OrderApp, em: EntityManager, payment: Payment): Promise<void> {
  await em.transactional(async (tx) => {
    const first = await advance(tx, payment.id, 'AUTHORIZED', 'COMPLETED');
    if (!first) return;
    const confirmed = await endPending(tx, payment.orderId, { status: 'CONFIRMED' });
    if (!confirmed) {
      app.logger.error({ orderId: payment.orderId }, 'a paid order was not pending');
    }
  });
}

/** @returns whether this call made the step */
async function advance(
  em: EntityManager,
  paymentId: string,
  from: PaymentStatus,
  to: PaymentStatus,
  answer: { transactionId: string; declineReason: string | null } | null = null,
): Promise<boolean> {
  const changed = await sqlCount(
    em,
    `update payment set status = $3, updated_at = now(),
       provider_transaction_id = coalesce($4, provider_transaction_id),
       decline_reason = coalesce($5, decline_reason)
     where id = $1 and status = $2`,
    [paymentId, from, to, answer?.transactionId ?? null, answer?.declineReason ?? null],
  );
  return changed > 0;
}

const read = (em: EntityManager, id: string) =>
  em.findOneOrFail(Payment, id, { refresh: true, disableIdentityMap: true });
