import type { EntityManager } from '@mikro-orm/postgresql';
import { groupWrites } from '../../../shared/batching/group-writes.js';
import type { PaymentProvider } from '../provider/payment-provider.js';
import { type BegunPayment, beginPayments, type NewPayment } from './begin-payments.js';
import { changePayments, type PaymentChange } from './change-payments.js';
import { confirmPaid, type PaidOrder } from './confirm-paid.js';
import type { Payment } from './payment.js';

/** The writes of payments that customers wait for. Concurrent ones share one statement and one commit. */
export interface PaymentWrites {
  /** @returns null if another process began a payment of the order in this moment */
  begin(payment: NewPayment): Promise<BegunPayment | null>;
  /** @returns the payment afterwards; null if it was left as it is */
  change(change: PaymentChange): Promise<Payment | null>;
  /** @returns the payment and its order afterwards; null if they were left as they are */
  confirm(payment: Payment): Promise<PaidOrder | null>;
}

export function createPaymentWrites(em: EntityManager, provider: PaymentProvider): PaymentWrites {
  return {
    begin: groupWrites((payments: readonly NewPayment[]) =>
      beginPayments(em.fork(), provider, payments),
    ),
    change: groupWrites((changes: readonly PaymentChange[]) => changePayments(em.fork(), changes)),
    confirm: groupWrites((payments: readonly Payment[]) => confirmPaid(em.fork(), payments)),
  };
}
