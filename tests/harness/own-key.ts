import type { RowKey } from '../../subgraphs/order/row-key.js';

/** The key of an order whose customer has the same id, as tests insert them. */
export const ownKey = (id: string): RowKey => ({ customerId: id, id });
