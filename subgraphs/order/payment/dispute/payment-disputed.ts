import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, ObjectType } from 'type-graphql';
import { sql } from '../../../shared/database/sql.js';
import { Refusal, result } from '../../../shared/graphql/refusal.js';
import { Allow } from '../../../shared/rights/rights.js';
import type { RowKey } from '../../row-key.js';
import { DisputeStatus, isBlockingDispute } from '../state/status.js';

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description:
    'The payment of the order is disputed: the customer may get the money back through the dispute.',
})
export class PaymentDisputed extends Refusal {
  @Field(() => DisputeStatus, { description: 'Current status of the dispute.' })
  disputeStatus!: DisputeStatus;

  @Field(() => String, { description: 'Reason: a code of the provider, such as `fraudulent`.' })
  reason!: string;
}

/**
 * Finds a dispute that blocks refunds and shipping, of any payment of an order.
 *
 * @param advice what to do nevertheless, if anything, for the message
 */
export async function findPaymentDisputed(
  em: EntityManager,
  { customerId, id }: RowKey,
  advice: Readonly<Record<'OPEN' | 'LOST', string>>,
): Promise<PaymentDisputed | null> {
  const [dispute] = await sql<{ status: 'OPEN' | 'LOST'; reason: string }>(
    em,
    `select d.status, d.reason from payment p
       join dispute d on d.customer_id = p.customer_id and d.payment_id = p.id
     where p.customer_id = $1 and p.order_id = $2 and ${isBlockingDispute('d.status')} order by d.id limit 1`,
    [customerId, id],
  );
  if (!dispute) return null;
  const { status, reason } = dispute;
  const fact =
    status === 'LOST'
      ? 'The customer got the money back through a dispute.'
      : 'The customer disputes the payment.';
  return result(PaymentDisputed, {
    message: `${fact} ${advice[status]}`,
    disputeStatus: status,
    reason,
  });
}
