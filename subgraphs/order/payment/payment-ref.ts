import type { Payment } from './payment.js';
import type { PaymentRef } from './provider/payment-provider.js';

/** A payment as its provider knows it. */
export const refOf = (payment: Payment): PaymentRef => ({
  paymentId: payment.id,
  amount: payment.amountValue,
  currencyCode: payment.currencyCode,
  method: payment.method,
  transactionId: payment.providerTransactionId,
});
