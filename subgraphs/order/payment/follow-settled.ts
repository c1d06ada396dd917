import { transact } from '../../shared/database/transact.js';
import { lockPayment } from '../locks.js';
import { clearDue } from './clear-due.js';
import { applyProviderDisputes } from './dispute/apply-provider-disputes.js';
import type { PaymentApp } from './payment-app.js';
import { applyProviderRefunds } from './refund/apply-provider-refunds.js';
import { coverBlockedRefunds } from './state/cover-refunds.js';
import type { Payment } from './state/payment.js';

/**
 * Applies what the provider knows of the refunds and disputes of a captured payment. Those that can be read
 * are applied, even if the others cannot.
 */
export async function followSettled(app: PaymentApp, payment: Payment): Promise<void> {
  const provider = app.providers.of(payment.provider);
  const transactionId = payment.providerTransactionId as string;
  const [refunds, disputes] = await Promise.allSettled([
    provider.refundsOf(transactionId),
    provider.disputesOf(transactionId),
  ]);
  await transact(app.orm.em, async (em) => {
    await lockPayment(em, payment);
    // Refunds first: one that was sent is not cancelled for a dispute.
    const atDashboard =
      refunds.status === 'fulfilled'
        ? await applyProviderRefunds(em, payment, refunds.value, app.logger)
        : null;
    if (disputes.status === 'fulfilled') {
      await applyProviderDisputes(em, payment, disputes.value, app.logger);
    }
    if (atDashboard) await coverBlockedRefunds(em, payment, atDashboard);
  });
  for (const read of [refunds, disputes]) if (read.status === 'rejected') throw read.reason;
  await clearDue(app, payment);
}
