import { enumOf } from '../../shared/graphql/enum-of.js';
import type { Transitions } from '../state-machine.js';

export const PaymentStatus = enumOf('PaymentStatus', 'Status of a payment.', {
  PENDING: 'Not decided yet.',
  AUTHORIZED: 'Authorized by the provider, not captured yet.',
  COMPLETED: 'Captured.',
  FAILED: 'Declined, or ended without a capture.',
  VOIDED: 'The authorization was voided; nothing was captured.',
  REFUNDED: 'Captured and refunded in full.',
});
export type PaymentStatus = keyof typeof PaymentStatus;

/** `FAILED` from `AUTHORIZED`: the capture is refused permanently. */
export const paymentTransitions: Transitions<PaymentStatus> = {
  PENDING: ['AUTHORIZED', 'FAILED'],
  AUTHORIZED: ['COMPLETED', 'VOIDED', 'FAILED'],
  COMPLETED: ['REFUNDED'],
  FAILED: [],
  VOIDED: [],
  REFUNDED: [],
};

export const RefundStatus = enumOf('RefundStatus', 'Status of a refund.', {
  PENDING: 'Not confirmed by the provider yet.',
  COMPLETED: 'Confirmed by the provider.',
});
export type RefundStatus = keyof typeof RefundStatus;

export const refundTransitions: Transitions<RefundStatus> = {
  PENDING: ['COMPLETED'],
  COMPLETED: [],
};
