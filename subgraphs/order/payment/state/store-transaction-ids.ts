import type { EntityManager } from '@mikro-orm/postgresql';
import { columnsOf } from '../../../shared/database/columns.js';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { statement } from '../../../shared/database/statement.js';
import { isPayableSql } from './payable.js';
import { Payment } from './payment.js';
import { storeTransactionsSql } from './provider-transaction.js';

/** A payment that was created at the provider. */
export interface CreatedPayment {
  readonly payment: Payment;
  /** the provider’s id */
  readonly transactionId: string;
}

/**
 * Stores the provider’s ids of payments, whose order can still be paid: its hold has to outlast the
 * confirmation.
 *
 * @returns the payments; null for one that must not be confirmed
 */
export async function storeTransactionIds(
  em: EntityManager,
  timeLimitMs: number,
  created: readonly CreatedPayment[],
): Promise<(Payment | null)[]> {
  const rows = created.map(({ payment: { customerId, id }, transactionId }) => {
    return { customer_id: customerId, id, transaction_id: transactionId };
  });
  const values = parameters.values({ limit_ms: timeLimitMs, created: rows });
  const stored = await sqlPrepared<{ id: string }>(em, storeSql(em), values);
  const byId = new Map(stored.map((row) => [row.id, em.map(Payment, row as never)]));
  return created.map(({ payment }) => byId.get(payment.id) ?? null);
}

const parameters = namedParameters({
  limit_ms: 'float8',
  created: { customer_id: 'uuid', id: 'uuid', transaction_id: 'text' },
});

const storeSql = statement(
  (em) => `
  with stored as (
  update payment p set provider_transaction_id = created.transaction_id, updated_at = now()
  from ${parameters.sql.created}
  where p.customer_id = created.customer_id and p.id = created.id and p.status = 'PENDING'
    and coalesce(p.provider_transaction_id, created.transaction_id) = created.transaction_id
    -- Before a worker may take it up (stepMaxMs), the confirmation has to end.
    and p.created_at > now() - 2 * ${parameters.sql.limit_ms} * interval '1 ms'
    and exists (select from customer_order o where o.customer_id = p.customer_id and o.id = p.order_id
      and ${isPayableSql(parameters.sql.limit_ms)})
  returning p.*
  ), transactions as (${storeTransactionsSql('stored')}
  )
  select ${columnsOf(em, Payment)} from stored`,
);
