import { registerEnumType } from 'type-graphql';
import type { Transitions } from '../state-machine.js';

export const PaymentStatus = {
  PENDING: 'PENDING',
  AUTHORIZED: 'AUTHORIZED',
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  VOIDED: 'VOIDED',
  REFUNDED: 'REFUNDED',
} as const;
export type PaymentStatus = keyof typeof PaymentStatus;
registerEnumType(PaymentStatus, {
  name: 'PaymentStatus',
  description: 'Status of a payment.',
  valuesConfig: {
    PENDING: { description: 'Not decided yet.' },
    AUTHORIZED: { description: 'Authorized by the provider, not captured yet.' },
    COMPLETED: { description: 'Captured.' },
    FAILED: {
      description: 'Declined, or ended without a capture.',
    },
    VOIDED: { description: 'The authorization was voided; nothing was captured.' },
    REFUNDED: { description: 'Captured and refunded in full.' },
  },
});

/** `FAILED` from `AUTHORIZED`: the capture is refused permanently. */
export const paymentTransitions: Transitions<PaymentStatus> = {
  PENDING: ['AUTHORIZED', 'FAILED'],
  AUTHORIZED: ['COMPLETED', 'VOIDED', 'FAILED'],
  COMPLETED: ['REFUNDED'],
  FAILED: [],
  VOIDED: [],
  REFUNDED: [],
};

export const RefundStatus = { PENDING: 'PENDING', COMPLETED: 'COMPLETED' } as const;
export type RefundStatus = keyof typeof RefundStatus;
registerEnumType(RefundStatus, {
  name: 'RefundStatus',
  description: 'Status of a refund.',
  valuesConfig: {
    PENDING: { description: 'Not confirmed by the provider yet.' },
    COMPLETED: { description: 'Confirmed by the provider.' },
  },
});

export const refundTransitions: Transitions<RefundStatus> = {
  PENDING: ['COMPLETED'],
  COMPLETED: [],
};
