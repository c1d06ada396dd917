import type { EntityManager } from '@mikro-orm/postgresql';
import { createUnionType, Field, ObjectType } from 'type-graphql';
import { identityOf } from '../../../shared/auth/callers.js';
import { sql } from '../../../shared/database/sql.js';
import { type Once, transact } from '../../../shared/database/transact.js';
import { notFound } from '../../../shared/errors.js';
import { Refusal, result } from '../../../shared/graphql/refusal.js';
import { Allow } from '../../../shared/rights/rights.js';
import type { OrderContext } from '../../context.js';
import { lockPayment } from '../../locks.js';
import { markRefundsDue } from '../../order/payment-signals.js';
import { changeRefund } from '../state/change-refunds.js';
import { coverRefunds } from '../state/cover-refunds.js';
import { Refund } from '../state/refund.js';
import { dropReplacedUnits } from '../state/refunded-units.js';
import { RefundStatus } from '../state/status.js';

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The refund has not failed.',
})
export class RefundNotRetryable extends Refusal {
  @Field(() => RefundStatus, { description: 'Current status.' })
  status!: RefundStatus;
}

export const RetryRefundResult = createUnionType({
  name: 'RetryRefundResult',
  description: 'The refund, which is sent again or cancelled, or why it cannot be.',
  types: () => [Refund, RefundNotRetryable] as const,
});

/**
 * Sends a failed refund again, as another attempt at the provider; or reduces or cancels it, as far as the
 * customer has the money in another way by now.
 *
 * @throws `NOT_FOUND`
 */
export async function retryRefund(
  context: OrderContext,
  id: string,
  once?: Once<typeof RetryRefundResult>,
): Promise<typeof RetryRefundResult> {
  const { id: actor } = identityOf(context);
  const known = await context.em.fork().findOne(Refund, { id });
  if (!known) throw notFound('refund', id);
  const { customerId } = known;
  const payment = { customerId, id: known.paymentId };
  const work = async (em: EntityManager): Promise<typeof RetryRefundResult> => {
    await lockPayment(em, payment);
    const [refund] = await sql<{ status: RefundStatus }>(
      em,
      'select status from refund where customer_id = $1 and id = $2',
      [customerId, id],
    );
    const status = refund?.status as RefundStatus;
    if (status !== 'FAILED') {
      const message = `The refund is ${status}; only a FAILED one can be sent again.`;
      return result(RefundNotRetryable, { message, status });
    }
    await changeRefund(em, payment, { refund: { id, status }, to: 'PENDING', actor });
    await dropReplacedUnits(em, payment, id);
    await coverRefunds(em, payment);
    markRefundsDue(em, known.paymentId);
    return em.findOneOrFail(Refund, { customerId, id });
  };
  return transact(context.em, work, once);
}
