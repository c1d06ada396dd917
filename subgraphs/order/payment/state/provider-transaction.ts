import { PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../../shared/database/retention.js';

/**
 * The payment of a provider’s transaction, for what knows the provider’s id alone. Written in the statement that
 * stores the id in the payment. A table of its own, as its key is on another shard than the payment.
 */
@Retained({ permanently: 'finds a payment by the id of its provider for as long as it is kept' })
@Entity({ tableName: 'provider_transaction' })
export class ProviderTransaction {
  [PrimaryKeyProp]?: ['provider', 'providerTransactionId'];

  @PrimaryKey({ type: 'varchar', length: 50 })
  provider!: string;

  @PrimaryKey({ type: 'varchar', length: 255 })
  providerTransactionId!: string;

  @Property({ type: 'uuid' })
  customerId!: string;

  @Property({ type: 'uuid' })
  paymentId!: string;
}

/**
 * SQL that stores the payments of transactions. If a transaction is of another payment, the statement fails
 * (`isOfOtherPayment`): no payment is captured or refunded at the transaction of another.
 *
 * @param payments a set of rows with the columns of `payment`
 */
export const storeTransactionsSql = (payments: string) => `
  insert into provider_transaction as known
    (provider, provider_transaction_id, customer_id, payment_id)
  select provider, provider_transaction_id, customer_id, id from ${payments}
  where provider_transaction_id is not null
  on conflict (provider, provider_transaction_id)
    -- Refused, as the column is not null.
    do update set payment_id = null where known.payment_id <> excluded.payment_id`;

const notNullViolation = '23502';

/** Whether a statement failed because it would store the transaction of another payment. */
export function isOfOtherPayment(error: unknown): boolean {
  const { code, table } = error as { code?: string; table?: string };
  return code === notNullViolation && table === 'provider_transaction';
}
