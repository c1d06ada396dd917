/**
 * The key of an order, a payment or another row of a customer. A distributed database finds the row’s shard by
 * the customer, so statements have both wherever the customer is known (docs/adr/0039-shard-keys.md).
 */
export interface RowKey {
  readonly customerId: string;
  readonly id: string;
}

interface OfOrder {
  readonly customerId: string;
  readonly orderId: string;
}

/** The key of the order that a row belongs to. */
export const orderKeyOf = ({ customerId, orderId: id }: OfOrder): RowKey => ({ customerId, id });
