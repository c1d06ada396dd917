import { enumOf } from '../../../shared/graphql/enum-of.js';
import type { Transitions } from '../../state-machine.js';

export const PaymentStatus = enumOf('PaymentStatus', 'Status of a payment.', {
  PENDING: 'Not decided yet.',
  AUTHORIZED: 'Authorized by the provider, not captured yet.',
  COMPLETED: 'Captured.',
  FAILED: 'Declined, or ended without a capture.',
  VOIDED: 'The authorization was voided; nothing was captured.',
  REFUNDED: 'Captured and refunded in full.',
});
export type PaymentStatus = keyof typeof PaymentStatus;

/**
 * `FAILED` from `AUTHORIZED`: the capture is refused permanently, or the authorization has lapsed.
 * `COMPLETED` from `REFUNDED`: a refund failed after it was completed.
 */
export const paymentTransitions: Transitions<PaymentStatus> = {
  PENDING: ['AUTHORIZED', 'FAILED'],
  AUTHORIZED: ['COMPLETED', 'VOIDED', 'FAILED'],
  COMPLETED: ['REFUNDED'],
  FAILED: [],
  VOIDED: [],
  REFUNDED: ['COMPLETED'],
};

/**
 * Why a payment is FAILED:
 *
 * - `DECLINED`: by the bank or the customer;
 * - `NOT_CHARGED`: nobody was asked for money, or the attempt was canceled before the bank decided;
 * - `ORDER_ENDED`: its order ended before it was authorized;
 * - `CAPTURE_REFUSED`: the provider refused to capture the authorization;
 * - `LAPSED`: the authorization lapsed before it was captured;
 * - `UNKNOWN_METHOD`: the provider does not know the payment method, so nobody was asked for money.
 */
export const paymentFailures = [
  'DECLINED',
  'NOT_CHARGED',
  'ORDER_ENDED',
  'CAPTURE_REFUSED',
  'LAPSED',
  'UNKNOWN_METHOD',
] as const;
export type PaymentFailure = (typeof paymentFailures)[number];

/**
 * The failures that count as attempts to pay, and after which a checkout that pays at once cancels its
 * order: the customer has to choose another method.
 */
export const failuresOfMethod: readonly (PaymentFailure | null)[] = ['DECLINED', 'UNKNOWN_METHOD'];

/** SQL for a payment that counts as an attempt to pay. */
export const isAttemptSql = (payment: string) =>
  `${payment}.failure in ('DECLINED', 'UNKNOWN_METHOD')`;

export const RefundStatus = enumOf('RefundStatus', 'Status of a refund.', {
  PENDING: 'Not sent to the provider yet.',
  SENT: 'Accepted by the provider; the money is on its way.',
  COMPLETED: 'The provider reports that the money was returned.',
  FAILED: 'The money was not returned; `failureReason` says why. An admin may retry it.',
  CANCELLED:
    'Not sent, because the money was returned in another way: by a dispute, at the provider, or by another refund.',
});
export type RefundStatus = keyof typeof RefundStatus;

/** `FAILED` from `COMPLETED`: banks return money days later. `PENDING` from `FAILED`: it is retried. */
export const refundTransitions: Transitions<RefundStatus> = {
  PENDING: ['SENT', 'FAILED', 'CANCELLED'],
  SENT: ['COMPLETED', 'FAILED'],
  COMPLETED: ['FAILED'],
  FAILED: ['PENDING'],
  CANCELLED: [],
};

/** SQL for refunds that count as refunded, or will. */
export const isLiveRefund = (status: string) => `${status} in ('PENDING', 'SENT', 'COMPLETED')`;

export const DisputeStatus = enumOf('DisputeStatus', 'Status of a dispute.', {
  INQUIRY: 'The bank asks for information. Nothing is withdrawn.',
  CLOSED: 'The inquiry ended without a chargeback.',
  OPEN: 'A chargeback that is not decided.',
  WON: 'Decided for the shop.',
  LOST: 'Decided for the customer, who has the money.',
});
export type DisputeStatus = keyof typeof DisputeStatus;

export const disputeTransitions: Transitions<DisputeStatus> = {
  INQUIRY: ['CLOSED', 'OPEN'],
  CLOSED: [],
  OPEN: ['WON', 'LOST'],
  WON: [],
  LOST: [],
};

/** SQL for a dispute that blocks refunds and shipping. */
export const isBlockingDispute = (status: string) => `${status} in ('OPEN', 'LOST')`;
