import { tryAgain } from '../../shared/errors.js';
import { extendHold } from './extend-hold.js';
import type { PaymentApp } from './payment-app.js';
import type { BegunPayment, NewPayment } from './state/begin-payments.js';

/**
 * Inserts the payment of a pending order, before the provider is called. An order has one live
 * payment: a second attempt gets the first. Payments that begin at the same time share one statement. An order that
 * is held for a shorter time than others is extended first, once.
 *
 * @throws `TRY_AGAIN` while so many payments of the customer are not decided that the next one could exceed
 *   the limit of declined ones, or the warehouse subgraph does not answer
 */
export async function beginPayment(
  app: PaymentApp,
  payment: NewPayment,
): Promise<Exclude<BegunPayment, { kind: 'busy' | 'extensible' }>> {
  for (;;) {
    const found = await app.paymentWrites.begin(payment);
    if (found?.kind === 'busy') {
      throw tryAgain(
        'Too many of your payments are being processed. Please retry with the same key.',
      );
    }
    if (found?.kind === 'extensible') {
      if (await extendHold(app, payment)) continue;
      return { kind: 'not-payable' };
    }
    if (found) return found;
  }
}
