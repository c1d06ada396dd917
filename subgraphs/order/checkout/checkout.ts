import Big from 'big.js';
import { identityOf } from '../../shared/auth/callers.js';
import { tryAgain } from '../../shared/errors.js';
import {
  claimKey,
  fingerprintOf,
  type IdempotencyKeyRef,
} from '../../shared/idempotency/claim-key.js';
import { newId } from '../../shared/ids.js';
import { payPlacedOrder } from '../payment/pay-order.js';
import { type CheckoutInput, mergeItems } from './checkout-input.js';
import type { CheckoutContext } from './checkout-writes.js';
import { type CheckoutAttempt, findOrPlaceOrder } from './find-or-place-order.js';
import { type Outcome, toCheckoutResult } from './outcome.js';
import { reserveOrder } from './reserve-order.js';
import { requireOneAddress } from './shipping-address.js';

/**
 * Places an order across shops and reserves its stock, all or nothing. The same customer and key get
 * the same answer, even if a process dies in between. The steps, each with what undoes it:
 *
 * 1. claim the idempotency key, which fixes the id of the order; on an error the claim is released;
 * 2. place the order, or find the one of an earlier attempt; nothing is placed if the stock is found to
 *    be short (short-skus.ts); without stock it is cancelled, and an abandoned one by a worker
 *    (abandon-orders.ts);
 * 3. reserve its stock; released if the order ended meanwhile, and at its expiry;
 * 4. record the result, with the outcome of the key, in one commit; the order gets its number, and is
 *    visible from then on;
 * 5. pay, if there is a payment method; a declined payment cancels the order (void-payment.ts).
 *
 * @throws `BAD_USER_INPUT`, `IDEMPOTENCY_KEY_REUSED`, and `TRY_AGAIN` while a service is unavailable:
 *   a retry with the same key is safe
 */
export async function checkout(context: CheckoutContext, input: CheckoutInput) {
  const { app } = context;
  const customerId = identityOf(context).id;
  requireOneAddress(input);
  const items = input.items ? mergeItems(input.items) : null;
  const key: IdempotencyKeyRef = {
    userId: customerId,
    operation: 'checkout',
    key: input.idempotencyKey,
  };
  const newOrderId = newId();
  const fingerprint = fingerprintOf(requestOf(input, items));
  const claim = await claimKey<Outcome>(app.claimKey, key, fingerprint, newOrderId);
  if (claim.outcome) return payOrShow(context, input, claim.outcome);
  const orderId = claim.subjectId;
  const isFirst = orderId === newOrderId;
  const attempt = { app, key, orderId, isFirst, customerId, items, input };
  try {
    const placed = await findOrPlaceOrder(attempt);
    const outcome =
      'refusal' in placed
        ? await storeRefusal(attempt, claim.claimedUntil, placed.refusal)
        : await reserveOrder(attempt, placed.order);
    return await payOrShow(context, input, outcome);
  } catch (error) {
    app.releaseClaim({ key, subjectId: orderId, claimedUntil: claim.claimedUntil });
    throw error;
  }
}

/** @throws `TRY_AGAIN` if another process with this key went on meanwhile */
async function storeRefusal(
  { app, key, orderId, customerId }: CheckoutAttempt,
  claimedUntil: string,
  outcome: Outcome,
) {
  const order = { customerId, id: orderId };
  if (await app.writes.storeRefusal({ order, key, outcome, claimedUntil })) return outcome;
  throw tryAgain('The same request is already in progress. Please retry with the same key.');
}

/** What makes two requests the same. */
function requestOf(input: CheckoutInput, items: object | null): unknown[] {
  const { shippingAddress, addressId, expectedTotal, paymentMethod } = input;
  const total = expectedTotal && new Big(expectedTotal).toFixed();
  return [items ?? 'cart', shippingAddress ?? addressId, total, paymentMethod];
}

/** Pays a placed order, which continues a payment that an earlier attempt began; or shows the outcome. */
function payOrShow(context: CheckoutContext, { paymentMethod }: CheckoutInput, outcome: Outcome) {
  return outcome.kind === 'placed' && paymentMethod
    ? payPlacedOrder(
        context,
        { customerId: identityOf(context).id, id: outcome.orderId },
        paymentMethod,
      )
    : toCheckoutResult(context, outcome);
}
