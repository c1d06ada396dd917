import type { PaymentDeclineCode } from './decline-code.js';
import type {
  ListedPayment,
  ProviderDispute,
  ProviderPayment,
  ProviderRefund,
  ProviderStatus,
} from './payment-provider.js';

export interface SandboxPayment {
  readonly id: string;
  readonly key: string;
  readonly amount: string;
  readonly currencyCode: string;
  readonly status: string;
  readonly reason: string | null;
  readonly clientSecret: string | null;
  readonly hasLapsed: boolean;
}

export type SandboxRefund = Omit<ProviderRefund, 'transactionId' | 'reason'> & {
  readonly paymentId: string;
  readonly reason: string | null;
};

export type SandboxDispute = Omit<ProviderDispute, 'transactionId' | 'evidenceDueAt'> & {
  readonly paymentId: string;
  readonly evidenceDueAt: string | null;
};

export const statuses: ReadonlyMap<string, ProviderStatus> = new Map([
  ['authorized', 'authorized'],
  ['declined', 'declined'],
  ['requires_action', 'actionRequired'],
  ['pending', 'pending'],
  ['captured', 'captured'],
  ['canceled', 'canceled'],
]);

/** The reasons of the sandbox that are shown. */
const declineCodes: ReadonlyMap<string, PaymentDeclineCode> = new Map([
  ['insufficient funds', 'INSUFFICIENT_FUNDS'],
  ['the customer refused the payment', 'AUTHENTICATION_FAILED'],
]);

/** @throws an error for a state that is unknown here */
export function toProviderPayment(payment: SandboxPayment): ProviderPayment {
  const status = statuses.get(payment.status);
  if (!status) throw new Error(`payment sandbox: unknown state of a payment: ${payment.status}`);
  const { id: transactionId, reason, clientSecret, hasLapsed } = payment;
  if (status === 'declined') {
    const declineCode = declineCodes.get(reason ?? '') ?? 'GENERIC';
    return { transactionId, status, declineCode, reason: reason ?? 'declined' };
  }
  if (status === 'canceled') return { transactionId, status, hasLapsed };
  if (status !== 'actionRequired') return { transactionId, status };
  return { transactionId, status, clientSecret: clientSecret ?? '' };
}

export function toListedPayment(payment: SandboxPayment): ListedPayment {
  const { key: paymentId, amount, currencyCode } = payment;
  return { ...toProviderPayment(payment), paymentId, amount, currencyCode };
}

export function toProviderRefund(refund: SandboxRefund): ProviderRefund {
  const { id, paymentId, refundId, amount, currencyCode, status, reason } = refund;
  const known = { id, transactionId: paymentId, refundId, amount, currencyCode, status };
  return reason === null ? known : { ...known, reason };
}

export function toProviderDispute(dispute: SandboxDispute): ProviderDispute {
  const { id, paymentId, status, amount, currencyCode, reason } = dispute;
  const { evidenceDueAt, fundsWithdrawn, fundsReinstated } = dispute;
  const dueAt = evidenceDueAt === null ? null : new Date(evidenceDueAt);
  const known = { id, transactionId: paymentId, status, amount, currencyCode, reason };
  return { ...known, evidenceDueAt: dueAt, fundsWithdrawn, fundsReinstated };
}
