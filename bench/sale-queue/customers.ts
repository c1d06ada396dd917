import { randomUUID } from 'node:crypto';
import type { Buyer } from '../../dev/seed/buyers.js';
import type { GraphQLClient } from '../router/operations.js';
import { shippingAddress } from '../shipping-address.js';
import type { OpenQueue } from './open-queue.js';

const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) { __typename
  ... on CheckoutSuccess { order { id } } } }`;
const payMutation = `mutation ($input: PayOrderInput!) { payOrder(input: $input) { __typename } }`;
const cancelMutation = `mutation ($id: UUID!, $key: String) {
  cancelOrder(id: $id, idempotencyKey: $key) { __typename } }`;
const leaveMutation = `mutation ($id: UUID!) { leaveSale(saleId: $id) { id } }`;

export interface Ordered {
  readonly outcome: string;
  /** null: it was refused */
  readonly orderId: string | null;
}

/** What customers of a sale do. */
export function createCustomers(router: GraphQLClient, { saleId, offerId }: OpenQueue) {
  // biome-ignore lint/suspicious/noExplicitAny: answers to operations of our own
  const send = async ({ token }: Buyer, query: string, variables: object): Promise<any> =>
    Object.values((await router.sendKeyed(query, variables, token)).data ?? {})[0];
  return {
    async order(buyer: Buyer): Promise<Ordered> {
      const input = {
        idempotencyKey: randomUUID(),
        items: [{ offerId, quantity: 1, saleId }],
        // A sale counts units by address.
        shippingAddress: { ...shippingAddress, street: buyer.id },
      };
      const { __typename, order } = await send(buyer, checkoutMutation, { input });
      return { outcome: __typename, orderId: order?.id ?? null };
    },
    async pay(buyer: Buyer, orderId: string): Promise<void> {
      const input = { orderId, paymentMethod: 'Credit Card', idempotencyKey: randomUUID() };
      const { __typename } = await send(buyer, payMutation, { input });
      if (__typename !== 'PaymentSuccess') throw new Error(`payOrder: ${__typename}`);
    },
    /** Leaves the queue, and cancels the order: its unit is for the next customer. */
    async giveUp(buyer: Buyer, orderId: string): Promise<void> {
      await send(buyer, leaveMutation, { id: saleId });
      const { __typename } = await send(buyer, cancelMutation, { id: orderId, key: randomUUID() });
      if (__typename !== 'Order') throw new Error(`cancelOrder: ${__typename}`);
    },
    leave: (buyer: Buyer) => send(buyer, leaveMutation, { id: saleId }),
  };
}
export type Customers = ReturnType<typeof createCustomers>;
