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
