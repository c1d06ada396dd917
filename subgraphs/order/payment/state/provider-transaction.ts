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
 * SQL that stores the payments of transactions. A transaction that is known keeps its payment.
 *
 * @param payments a set of rows with the columns of `payment`
 * @param condition on them
 */
export const storeTransactionsSql = (payments: string, condition = 'true') => `
  insert into provider_transaction (provider, provider_transaction_id, customer_id, payment_id)
  select provider, provider_transaction_id, customer_id, id from ${payments}
  where provider_transaction_id is not null and ${condition}
  on conflict do nothing`;
