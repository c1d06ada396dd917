import { AssertionFailed } from '../../shared/assert.js';
import type { OrderApp } from '../context.js';
import { assertTransition, type Transitions } from '../state-machine.js';
import type { Payment } from './payment.js';
import { recordStep } from './payment-state.js';
import { paymentTransitions, refundTransitions } from './status.js';

const transitionsOf = (table: Transitions<string>) =>
  Object.entries(table).flatMap(([from, states]) => states.map((to) => `${from} → ${to}`));

describe('the status of a payment', () => {
  it('changes by these transitions only', () => {
    expect(transitionsOf(paymentTransitions)).toEqual([
      'PENDING → AUTHORIZED',
      'PENDING → FAILED',
      'AUTHORIZED → COMPLETED',
      'AUTHORIZED → VOIDED',
      'AUTHORIZED → FAILED',
      'COMPLETED → REFUNDED',
    ]);
  });

  it('is not changed by any other step: nothing is sent to the database', () => {
    const app = {} as OrderApp;
    for (const [from, to] of [
      ['PENDING', 'COMPLETED'],
      ['FAILED', 'AUTHORIZED'],
      ['COMPLETED', 'VOIDED'],
    ] as const) {
      expect(() => recordStep(app, { status: from } as Payment, { to })).toThrow(AssertionFailed);
    }
  });
});

describe('the status of a refund', () => {
  it('changes by one transition only', () => {
    expect(transitionsOf(refundTransitions)).toEqual(['PENDING → COMPLETED']);
    expect(() => assertTransition(refundTransitions, 'COMPLETED', 'PENDING')).toThrow(
      AssertionFailed,
    );
  });
});
