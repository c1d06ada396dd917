import { PayOrderDocument, type PayOrderMutation } from '../../graph/operations.js';
import { request } from '../../session/request.js';

export type PayResult = PayOrderMutation['payOrder'];

export interface PaymentRequest {
  readonly orderId: string;
  readonly paymentMethod: string;
}

/** An attempt of its own for each order: one order may be paid while another waits. */
export const payAction = (orderId: string) => `pay ${orderId}`;

/** Pays once for each key. */
export async function payOrder(input: PaymentRequest, key: string): Promise<PayResult> {
  return (await request(PayOrderDocument, { input: { ...input, idempotencyKey: key } })).payOrder;
}

/** A payment that waits for the bank or the customer goes on under its key. */
export const isDecided = ({ __typename }: PayResult) =>
  __typename !== 'PaymentPending' && __typename !== 'PaymentActionRequired';
