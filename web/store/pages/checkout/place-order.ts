import {
  CheckoutDocument,
  type CheckoutInput,
  type CheckoutMutation,
} from '../../graph/operations.js';
import { request } from '../../session/request.js';

/** A checkout, without its key: what the customer has agreed to. */
export type CheckoutRequest = Omit<CheckoutInput, 'idempotencyKey'>;
export type CheckoutResult = CheckoutMutation['checkout'];

export const checkoutAction = 'checkout';

/** Places the order once for each key. */
export async function placeOrder(input: CheckoutRequest, key: string): Promise<CheckoutResult> {
  const variables = { input: { ...input, idempotencyKey: key } };
  return (await request(CheckoutDocument, variables)).checkout;
}
