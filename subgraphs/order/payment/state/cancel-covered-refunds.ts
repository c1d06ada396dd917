import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { sql } from '../../../shared/database/sql.js';
import { changeRefunds } from './change-refunds.js';
import { refundableSql } from './refundable.js';

interface Balance {
  /** what can still be refunded, after all live refunds; below 0 if they are too many */
  readonly left: string;
  /** lost in disputes, and not yet set against a cancelled refund */
  readonly lost: string;
}

/**
 * Cancels refunds that were not sent, and whose money the customer has already: the bank paid it in a dispute
 * that was lost, or a person refunded it at the provider. In a transaction that holds the lock of the payment.
 */
export async function cancelCoveredRefunds(em: EntityManager, paymentId: string): Promise<void> {
  const pending = await sql<{ id: string; amount: string }>(
    em,
    `select id, amount from refund where payment_id = $1 and status = 'PENDING' order by id`,
    [paymentId],
  );
  if (pending.length === 0) return;
  const [balance] = await sql<Balance>(
    em,
    `select ${refundableSql('p')} as left,
       (select coalesce(sum(amount), 0) from dispute where payment_id = p.id and status = 'LOST')
       - (select coalesce(sum(amount), 0) from refund
          where payment_id = p.id and status = 'CANCELLED') as lost
     from payment p where p.id = $1`,
    [paymentId],
  );
  let lost = new Big(balance?.lost ?? 0);
  let left = new Big(balance?.left ?? 0);
  const covered = pending.filter(({ amount }) => {
    const isPaidByDispute = lost.gte(amount);
    if (!isPaidByDispute && left.gte(0)) return false;
    if (isPaidByDispute) lost = lost.minus(amount);
    left = left.plus(amount);
    return true;
  });
  const changes = covered.map(({ id }) => {
    const refund = { id, status: 'PENDING' as const };
    return { refund, to: 'CANCELLED' as const, reason: 'the customer has the money already' };
  });
  if (changes.length > 0) await changeRefunds(em, paymentId, changes);
}
