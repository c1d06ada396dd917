import type { PaymentRecord } from '../store/records.js';
import type { SandboxStore } from '../store/store.js';
import { act, type RequestBody, requirePayment } from './payments.js';
import { Refused } from './refused.js';

/**
 * The payment whose secret the customer has.
 *
 * @throws Refused 404; 403 for another secret, and for a payment that never waited for the customer
 */
export function paymentOfCustomer(store: SandboxStore, id: string, secret: unknown): PaymentRecord {
  const payment = requirePayment(store, id);
  if (payment.clientSecret === null || secret !== payment.clientSecret) {
    throw new Refused(403, 'wrong_secret', 'wrong secret');
  }
  return payment;
}

/** @throws Refused 403, 404; 409 for a payment that does not wait for the customer */
export function actAsCustomer(store: SandboxStore, id: string, body: RequestBody): PaymentRecord {
  paymentOfCustomer(store, id, body.clientSecret);
  return act(store, id, body.outcome === 'refuse' ? 'refuse' : 'approve');
}
