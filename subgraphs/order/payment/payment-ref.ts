import type { PaymentRef } from './provider/payment-provider.js';
import type { Payment } from './state/payment.js';

/** The payment in the form that its provider expects. */
export const toPaymentRef = (payment: Payment, transactionId: string): PaymentRef => ({
  paymentId: payment.id,
  amount: payment.amountValue,
  currencyCode: payment.currencyCode,
  method: payment.method,
  transactionId,
});

/**
 * How long a process works on a step of a payment before a worker takes it up: longer than its calls of the
 * provider, of which there are up to three, as the last repetition of a creation may take the whole time.
 */
export const stepMaxMs = (timeLimitMs: number) => 3 * timeLimitMs + 1000;
