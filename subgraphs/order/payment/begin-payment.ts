import type { PaymentApp } from './payment-app.js';
import type { BegunPayment, NewPayment } from './state/begin-payments.js';

/**
 * Inserts the payment of a pending order, before the provider is called. An order has one live
 * payment: a second attempt gets the first. Payments that begin at the same time share one statement.
 */
export async function beginPayment(app: PaymentApp, payment: NewPayment): Promise<BegunPayment> {
  for (;;) {
    const found = await app.paymentWrites.begin(payment);
    if (found) return found;
  }
}
