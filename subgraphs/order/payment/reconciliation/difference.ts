import { amountText } from '../../../shared/money.js';

/**
 * What is wrong:
 *
 * - `PAYMENT_ORPHANED`: it has our id, and no payment here has it as its transaction;
 * - `PAYMENT_STATUS`, `REFUND_STATUS`, `DISPUTE_STATUS`: the states do not match;
 * - `PAYMENT_AMOUNT`, `REFUND_AMOUNT`, `DISPUTE_AMOUNT`: the amounts or the currencies differ;
 * - `REFUND_UNKNOWN`, `DISPUTE_UNKNOWN`: of a payment that is known here, itself not known here;
 * - `PAYMENT_MISSING`, `REFUND_MISSING`, `DISPUTE_MISSING`: known here, not known to the provider.
 */
export type DifferenceKind =
  | 'PAYMENT_ORPHANED'
  | `${'PAYMENT' | 'REFUND' | 'DISPUTE'}_${'STATUS' | 'AMOUNT' | 'MISSING'}`
  | `${'REFUND' | 'DISPUTE'}_UNKNOWN`;

/** The ids of what differs: those that are known. */
export interface DifferenceSubject {
  readonly paymentId?: string;
  readonly transactionId?: string;
  readonly refundId?: string;
  readonly providerRefundId?: string;
  readonly disputeId?: string;
  readonly providerDisputeId?: string;
}

export interface FoundDifference {
  readonly kind: DifferenceKind;
  readonly subject: DifferenceSubject;
  /** the state or the amount here; null if it is not known here */
  readonly here: string | null;
  /** the same at the provider; null if the provider does not know it */
  readonly there: string | null;
  /**
   * What is to be done: `CANCEL` the transaction at the provider; `MAKE_DUE` the payment, so that the worker
   * settles it by what the provider knows; `REPORT` it to a person.
   */
  readonly action: 'CANCEL' | 'MAKE_DUE' | 'REPORT';
}

/** `NOT_DONE`: the provider did not cancel it; `reason` has its words. */
export type DifferenceOutcome = 'CANCELED' | 'MADE_DUE' | 'REPORTED' | 'NOT_DONE';

export interface Difference extends Omit<FoundDifference, 'action'> {
  readonly done: DifferenceOutcome;
  readonly reason?: string;
}

interface Amount {
  readonly amount: string;
  readonly currencyCode: string;
}

export const textOf = ({ amount, currencyCode }: Amount) => amountText(amount, currencyCode);
