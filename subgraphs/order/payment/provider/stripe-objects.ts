import type Stripe from 'stripe';
import { fromMinorUnits } from './minor-units.js';
import type {
  ListedPayment,
  ProviderDispute,
  ProviderDisputeStatus,
  ProviderEvent,
  ProviderPayment,
  ProviderRefund,
  ProviderStatus,
} from './payment-provider.js';
import { declineCodeOf } from './stripe-declines.js';

/** https://docs.stripe.com/payments/paymentintents/lifecycle */
const statuses: Readonly<Record<string, ProviderStatus>> = {
  requires_confirmation: 'unconfirmed',
  requires_action: 'actionRequired',
  processing: 'pending',
  requires_capture: 'authorized',
  succeeded: 'captured',
  requires_payment_method: 'declined',
  canceled: 'canceled',
};

/** Why Stripe itself cancels a PaymentIntent, as an authorization that was not captured in time. */
const lapsedReasons: readonly (string | null)[] = ['automatic', 'expired'];

// A status that Stripe adds one day: nothing is known of it, so that it is looked up again.
const statusOf = (status: string): ProviderStatus => statuses[status] ?? 'pending';

export function toProviderPayment(intent: Stripe.PaymentIntent): ProviderPayment {
  const transactionId = intent.id;
  const status = statusOf(intent.status);
  if (status === 'actionRequired') {
    return { status, transactionId, clientSecret: intent.client_secret ?? '' };
  }
  if (status === 'declined') {
    const { last_payment_error: error } = intent;
    const reason = error?.message ?? 'declined';
    return { status, transactionId, declineCode: declineCodeOf(error), reason };
  }
  if (status === 'canceled') {
    return { status, transactionId, hasLapsed: lapsedReasons.includes(intent.cancellation_reason) };
  }
  return { status, transactionId };
}

/** The amount is what was captured: at the dashboard it can be less than what was authorized. */
export function toListedPayment(intent: Stripe.PaymentIntent): ListedPayment {
  const units = intent.status === 'succeeded' ? intent.amount_received : intent.amount;
  return {
    ...toProviderPayment(intent),
    paymentId: intent.metadata.payment_id ?? null,
    ...moneyOf(units, intent.currency),
  };
}

const refundStatuses: Readonly<Record<string, ProviderRefund['status']>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'failed',
};

const refundStatusOf = (status: string | null | undefined): ProviderRefund['status'] =>
  refundStatuses[status ?? ''] ?? 'pending';

/** @returns null for a refund of a charge without a PaymentIntent, which is none of ours */
export function toProviderRefund(refund: Stripe.Refund): ProviderRefund | null {
  const transactionId = idOf(refund.payment_intent);
  if (transactionId === null) return null;
  const status = refundStatusOf(refund.status);
  return {
    id: refund.id,
    transactionId,
    refundId: refund.metadata?.refund_id ?? null,
    ...moneyOf(refund.amount, refund.currency),
    status,
    ...(status === 'failed' && { reason: refund.failure_reason ?? refund.status ?? 'failed' }),
  };
}

/** https://docs.stripe.com/api/disputes/object#dispute_object-status */
const disputeStatuses: Readonly<Record<string, ProviderDisputeStatus>> = {
  warning_needs_response: 'INQUIRY',
  warning_under_review: 'INQUIRY',
  warning_closed: 'CLOSED',
  prevented: 'CLOSED',
  needs_response: 'OPEN',
  under_review: 'OPEN',
  appeal_needs_response: 'OPEN',
  appeal_under_review: 'OPEN',
  won: 'WON',
  lost: 'LOST',
};

/** @returns null for a dispute of a charge without a PaymentIntent, which is none of ours */
export function toProviderDispute(dispute: Stripe.Dispute): ProviderDispute | null {
  const transactionId = idOf(dispute.payment_intent);
  if (transactionId === null) return null;
  // 0 if the bank takes no evidence
  const { due_by } = dispute.evidence_details;
  return {
    id: dispute.id,
    transactionId,
    status: disputeStatuses[dispute.status] ?? 'OPEN',
    ...moneyOf(dispute.amount, dispute.currency),
    reason: dispute.reason,
    evidenceDueAt: due_by ? new Date(due_by * 1000) : null,
    fundsWithdrawn: dispute.balance_transactions.some(({ amount }) => amount < 0),
    fundsReinstated: dispute.balance_transactions.some(({ amount }) => amount > 0),
  };
}

const aboutPayments = ['charge', 'refund', 'dispute'];

/** What an event is about, by the object in it: a PaymentIntent, or an object that names one. */
export function subjectOf(object: unknown): Omit<ProviderEvent, 'eventId'> {
  const nothing = { paymentId: null, transactionId: null, status: null };
  if (typeof object !== 'object' || object === null) return nothing;
  const given = object as Partial<Stripe.PaymentIntent> & Pick<Stripe.Refund, 'payment_intent'>;
  const type: unknown = given.object;
  if (type === 'payment_intent') {
    return {
      paymentId: given.metadata?.payment_id ?? null,
      transactionId: given.id ?? null,
      status: statuses[String(given.status)] ?? null,
    };
  }
  if (!aboutPayments.includes(String(type))) return nothing;
  const about = { ...nothing, transactionId: idOf(given.payment_intent) };
  if (type !== 'refund' || !given.id) return about;
  return { ...about, refund: { id: given.id, status: refundStatusOf(given.status) } };
}

const idOf = (intent: string | Stripe.PaymentIntent | null | undefined): string | null =>
  typeof intent === 'string' ? intent : (intent?.id ?? null);

const moneyOf = (units: number, currency: string) => ({
  amount: fromMinorUnits(units, currency),
  currencyCode: currency.toUpperCase(),
});
