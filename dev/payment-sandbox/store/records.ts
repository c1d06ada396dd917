/** The times of a record, in ISO 8601, UTC, with milliseconds: they are compared as strings. */
interface Stamped {
  readonly id: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type PaymentStatus =
  | 'authorized'
  | 'declined'
  | 'requires_action'
  | 'pending'
  | 'captured'
  | 'canceled';

/** From each status of a payment, those that may follow. */
export const paymentTransitions: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  requires_action: ['authorized', 'declined', 'canceled'],
  pending: ['authorized', 'declined'],
  authorized: ['captured', 'canceled'],
  declined: ['canceled'],
  captured: [],
  canceled: [],
};

export interface PaymentRecord extends Stamped {
  /** the client's id of the payment: equal to `id`, except for payments of a former sandbox */
  readonly key: string;
  /** decimal; '0' for a payment that was canceled before it was confirmed */
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
  readonly status: PaymentStatus;
  readonly reason: string | null;
  /** the secret with which the customer acts */
  readonly clientSecret: string | null;
  /** whether it was canceled because its authorization ended */
  readonly hasLapsed: boolean;
  readonly wasConfirmed: boolean;
}

export type RefundStatus = 'pending' | 'succeeded' | 'failed';

export const refundTransitions: Readonly<Record<RefundStatus, readonly RefundStatus[]>> = {
  pending: ['succeeded', 'failed'],
  succeeded: ['failed'],
  failed: [],
};

export interface RefundRecord extends Stamped {
  readonly paymentId: string;
  /** the client's id; null for a refund made at the dashboard */
  readonly refundId: string | null;
  readonly amount: string;
  readonly currencyCode: string;
  readonly status: RefundStatus;
  /** of `failed` */
  readonly reason: string | null;
}

export type DisputeStatus = 'INQUIRY' | 'CLOSED' | 'OPEN' | 'WON' | 'LOST';

export const disputeTransitions: Readonly<Record<DisputeStatus, readonly DisputeStatus[]>> = {
  INQUIRY: ['CLOSED', 'OPEN'],
  OPEN: ['WON', 'LOST'],
  CLOSED: [],
  WON: [],
  LOST: [],
};

export interface DisputeRecord extends Stamped {
  readonly paymentId: string;
  readonly status: DisputeStatus;
  readonly amount: string;
  readonly currencyCode: string;
  readonly reason: string;
  /** until when evidence is accepted; null once none is */
  readonly evidenceDueAt: string | null;
  readonly fundsWithdrawn: boolean;
  readonly fundsReinstated: boolean;
}

/** The answer to a request with an idempotency key, which is replayed. */
export interface StoredAnswer {
  readonly key: string;
  readonly paymentId: string;
  /** the parameters of the request: a key is not valid for others */
  readonly parameters: string;
  readonly status: number;
  readonly body: object;
  readonly storedAt: string;
}

/** What one request changes; it is stored as a whole or not at all. */
export interface Change {
  readonly payment?: PaymentRecord;
  readonly refund?: RefundRecord;
  readonly dispute?: DisputeRecord;
  readonly answer?: StoredAnswer;
}

/** A payment with all that belongs to it, for developers and tests. */
export interface SandboxPayment extends PaymentRecord {
  readonly refunds: readonly RefundRecord[];
  readonly disputes: readonly DisputeRecord[];
}

export const isoTime = (ms = Date.now()) => new Date(ms).toISOString();
