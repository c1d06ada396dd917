import type { EntityManager } from '@mikro-orm/postgresql';
import { LRUCache } from 'lru-cache';
import { groupWrites } from '../../../shared/batching/group-writes.js';
import type { PaymentProvider } from '../provider/payment-provider.js';
import { type BegunPayment, beginPayments, type NewPayment } from './begin-payments.js';
import { changePayments, type PaymentChange } from './change-payments.js';
import { confirmPaid, type PaidOrder } from './confirm-paid.js';
import type { Payment } from './payment.js';
import type { PaymentStatus } from './status.js';
import { type CreatedPayment, storeTransactionIds } from './store-transaction-ids.js';

/** The writes of payments that customers wait for. Concurrent ones share one statement and one commit. */
export interface PaymentWrites {
  /** @returns null if another process began a payment of the order in this moment */
  begin(payment: NewPayment): Promise<BegunPayment | null>;
  /** @returns the payment; null if it must not be confirmed */
  storeTransactionId(created: CreatedPayment): Promise<Payment | null>;
  /** @returns the payment afterwards; null if it was left as it is */
  change(change: PaymentChange): Promise<Payment | null>;
  /** @returns the payment and its order afterwards; null if they were left as they are */
  confirm(payment: Payment): Promise<PaidOrder | null>;
  /** The status to which these writes changed a payment last: it has had it, and may have changed since. */
  lastStatus(provider: string, paymentId: string): PaymentStatus | undefined;
}

// Webhooks come within seconds, of some hundred payments a second.
const statusesMax = 10_000;

export function createPaymentWrites(em: EntityManager, provider: PaymentProvider): PaymentWrites {
  const statuses = new LRUCache<string, Pick<Payment, 'provider' | 'status'>>({ max: statusesMax });
  const remember = (payment: Payment | undefined) => {
    if (payment) statuses.set(payment.id, { provider: payment.provider, status: payment.status });
  };
  return {
    begin: groupWrites((payments: readonly NewPayment[]) =>
      beginPayments(em.fork(), provider, payments),
    ),
    storeTransactionId: groupWrites((created: readonly CreatedPayment[]) =>
      storeTransactionIds(em.fork(), provider.timeLimitMs, created),
    ),
    change: groupWrites(async (changes: readonly PaymentChange[]) => {
      const changed = await changePayments(em.fork(), changes);
      for (const payment of changed) remember(payment ?? undefined);
      return changed;
    }),
    confirm: groupWrites(async (payments: readonly Payment[]) => {
      const confirmed = await confirmPaid(em.fork(), payments);
      for (const each of confirmed) remember(each?.payment);
      return confirmed;
    }),
    lastStatus(providerName, paymentId) {
      const last = statuses.get(paymentId);
      return last?.provider === providerName ? last.status : undefined;
    },
  };
}
