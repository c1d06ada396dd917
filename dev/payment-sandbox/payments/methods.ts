import type { RefundStatus } from '../store/records.js';

/** How the sandbox treats a payment, selected by its payment method. */
export interface Behaviour {
  /** the status after the confirmation, if not `authorized` */
  readonly begins?: 'declined' | 'requires_action' | 'pending';
  readonly reason?: string;
  /** the operation that is done but not answered; of several refunds, the first */
  readonly silentAt?: 'confirm' | 'capture' | 'refund';
  /** the delay of the answer to each change */
  readonly answersAfterMs?: number;
  /** whether every capture is refused */
  readonly refusesCapture?: boolean;
  /** the number of copies of each webhook */
  readonly webhookCopies?: number;
  /** how refunds go on, if they do not succeed at once */
  readonly refunds?: RefundCourse;
  /** whether the first request for a refund is answered with a fault, and not done */
  readonly faultsFirstRefund?: boolean;
  /** the time from the capture to a dispute */
  readonly disputedAfterMs?: number;
}

export interface RefundCourse {
  readonly begins: RefundStatus;
  readonly ends: Exclude<RefundStatus, 'pending'>;
  readonly afterMs: number;
  readonly reason: string | null;
}

/** The time after which a payment by `Slow Bank` is authorized. */
export const slowBankMs = 2000;

const cardGone = 'expired_or_canceled_card';

const behaviours: ReadonlyMap<string, Behaviour> = new Map(
  Object.entries<Behaviour>({
    'Declined Card': { begins: 'declined', reason: 'the card was declined' },
    'Empty Account': { begins: 'declined', reason: 'insufficient funds' },
    'Challenge Card': { begins: 'requires_action' },
    'Slow Bank': { begins: 'pending' },
    'Silent Card': { silentAt: 'confirm' },
    'Lost Capture': { silentAt: 'capture' },
    'Lost Refund': { silentAt: 'refund' },
    'Slow Card': { answersAfterMs: 1500 },
    'Chatty Card': { webhookCopies: 3 },
    'Broken Capture': { refusesCapture: true },
    'Pending Refund': {
      refunds: { begins: 'pending', ends: 'succeeded', afterMs: 2000, reason: null },
    },
    'Failing Refund': {
      refunds: { begins: 'pending', ends: 'failed', afterMs: 1000, reason: cardGone },
    },
    'Late Failing Refund': {
      refunds: { begins: 'succeeded', ends: 'failed', afterMs: 1000, reason: cardGone },
    },
    'Faulty Refund': { faultsFirstRefund: true },
    'Disputed Card': { disputedAfterMs: 500 },
  }),
);

/** The methods that do not simply succeed. */
export const specialMethods: readonly string[] = [...behaviours.keys()];

const success: Behaviour = {};

/** @returns the behaviour of a payment method; one that is not in the table succeeds */
export const behaviourOf = (method: string): Behaviour => behaviours.get(method) ?? success;
