import type { EntityManager } from '@mikro-orm/postgresql';
import { AssertionFailed } from '../../../shared/assert.js';
import { pathBetween, type Transitions } from '../../state-machine.js';
import { changeDisputes } from './change-disputes.js';
import { changePayments, type PaymentChange } from './change-payments.js';
import { changeRefunds } from './change-refunds.js';
import {
  DisputeStatus,
  disputeTransitions,
  PaymentStatus,
  paymentTransitions,
  RefundStatus,
  refundTransitions,
} from './status.js';

const transitionsOf = (table: Transitions<string>) =>
  Object.entries(table).flatMap(([from, states]) => states.map((to) => `${from} → ${to}`));

/** A statement would throw another error: it has no database. */
const em = {} as EntityManager;
const id = '00000000-0000-7000-8000-000000000000';

/** All pairs of states that a table does not have. */
function otherPairs<State extends string>(table: Transitions<State>): [State, State][] {
  const states = Object.keys(table) as State[];
  return states.flatMap((from) =>
    states.filter((to) => !table[from].includes(to)).map((to): [State, State] => [from, to]),
  );
}

describe('the status of a payment', () => {
  it('changes by these transitions only', () => {
    expect(transitionsOf(paymentTransitions)).toEqual([
      'PENDING → AUTHORIZED',
      'PENDING → FAILED',
      'AUTHORIZED → COMPLETED',
      'AUTHORIZED → VOIDED',
      'AUTHORIZED → FAILED',
      'COMPLETED → REFUNDED',
      'REFUNDED → COMPLETED',
    ]);
    expect(Object.keys(paymentTransitions)).toEqual(Object.keys(PaymentStatus));
  });

  it.each(otherPairs(paymentTransitions))('is not changed from %s to %s', async (status, to) => {
    const change = { payment: { id, status }, to, failure: 'DECLINED' } as PaymentChange;
    await expect(changePayments(em, [change])).rejects.toThrow(AssertionFailed);
  });
});

describe('the status of a refund', () => {
  it('changes by these transitions only', () => {
    expect(transitionsOf(refundTransitions)).toEqual([
      'PENDING → SENT',
      'PENDING → FAILED',
      'PENDING → CANCELLED',
      'SENT → COMPLETED',
      'SENT → FAILED',
      'COMPLETED → FAILED',
      'FAILED → PENDING',
    ]);
    expect(Object.keys(refundTransitions)).toEqual(Object.keys(RefundStatus));
  });

  it.each(otherPairs(refundTransitions))('is not changed from %s to %s', async (status, to) => {
    const change = { refund: { id, status }, to };
    await expect(changeRefunds(em, { customerId: id, id }, [change])).rejects.toThrow(
      AssertionFailed,
    );
  });
});

describe('the status of a dispute', () => {
  it('changes by these transitions only', () => {
    expect(transitionsOf(disputeTransitions)).toEqual([
      'INQUIRY → CLOSED',
      'INQUIRY → OPEN',
      'OPEN → WON',
      'OPEN → LOST',
    ]);
    expect(Object.keys(disputeTransitions)).toEqual(Object.keys(DisputeStatus));
  });

  it.each(otherPairs(disputeTransitions))('is not changed from %s to %s', async (status, to) => {
    await expect(
      changeDisputes(em, [{ dispute: { customerId: id, id, status }, to }]),
    ).rejects.toThrow(AssertionFailed);
  });

  it('goes through those between, where the provider reports a later one', () => {
    expect(pathBetween(disputeTransitions, 'INQUIRY', 'LOST')).toEqual(['OPEN', 'LOST']);
    expect(pathBetween(disputeTransitions, 'OPEN', 'OPEN')).toEqual([]);
    expect(pathBetween(disputeTransitions, 'WON', 'LOST')).toBeNull();
  });
});
