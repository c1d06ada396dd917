import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { IdempotencyKeyRef } from '../../shared/idempotency/claim-key.js';
import type { RowKey } from '../row-key.js';

/** An order with its idempotency key and the outcome to store under it. */
export interface OrderOutcome {
  readonly order: RowKey;
  readonly key: IdempotencyKeyRef;
  readonly outcome: object;
}
export interface RefusedCheckout extends OrderOutcome {
  readonly claimedUntil: string;
}
export interface ReservedOrder extends OrderOutcome {
  readonly expiresAt: Date;
}

/**
 * Stores the outcomes of checkouts for which no order was placed, in one statement.
 *
 * @returns for each key whether it was stored: not if it has an outcome or an order, or another process
 *   claimed it meanwhile, which may be about to place the order
 */
export async function storeRefusals(
  em: EntityManager,
  refused: readonly RefusedCheckout[],
): Promise<boolean[]> {
  const request = refused.map(
    ({ order, key: { userId, operation, key }, outcome, claimedUntil }) => {
      return {
        id: order.id,
        user_id: userId,
        operation,
        key,
        outcome,
        claimed_until: claimedUntil,
      };
    },
  );
  const values = refusalParameters.values({ request });
  const rows = await sqlPrepared<{ id: string }>(em, storeRefusalsSql, values);
  const stored = new Set(rows.map(({ id }) => id));
  return refused.map(({ order }) => stored.has(order.id));
}

const refusalParameters = namedParameters({
  request: {
    id: 'uuid',
    user_id: 'uuid',
    operation: 'text',
    key: 'text',
    outcome: 'jsonb',
    claimed_until: 'timestamptz',
  },
});

const storeRefusalsSql = `
  with request as (
    select * from ${refusalParameters.sql.request}
  )
  update idempotency_key k set outcome = request.outcome, updated_at = now()
  from request
  where k.user_id = request.user_id and k.operation = request.operation and k.key = request.key
    and k.subject_id = request.id and k.outcome is null and k.claimed_until = request.claimed_until
    and not exists (select from customer_order o
      where o.customer_id = request.user_id and o.id = request.id)
  returning request.id`;
