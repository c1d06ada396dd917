import { type Account, createStore, newId } from './account.js';
import { invalid, metadataOf, missing, requireKnown } from './answers.js';
import { amountOf } from './currencies.js';
import type { Intent, Intents } from './intents.js';

export type RefundStatus = 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled';

export interface Refund {
  readonly id: string;
  readonly object: 'refund';
  readonly amount: number;
  readonly charge: string;
  readonly created: number;
  readonly currency: string;
  readonly failure_reason?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly payment_intent: string;
  readonly reason: string | null;
  readonly status: RefundStatus;
}

export type Refunds = ReturnType<typeof createRefunds>;

/** @param isDisputed whether a dispute forbids to refund the payment */
export function createRefunds(
  account: Account,
  intents: Intents,
  isDisputed: (intentId: string) => boolean,
) {
  const store = createStore<Refund>(account);
  /** the status with which refunds begin */
  const begin = { status: 'succeeded' as RefundStatus, failureReason: 'declined' };

  function get(id: string): Refund {
    const refund = store.get(id);
    if (!refund) throw missing('refund', id);
    return refund;
  }

  /** What is left of a payment: refunds that failed do not count. */
  function refundableOf({ id, amount_received }: Intent): number {
    return store
      .all()
      .filter((each) => each.payment_intent === id && !hasFailed(each))
      .reduce((left, { amount }) => left - amount, amount_received);
  }

  function create(form: URLSearchParams): Refund {
    requireKnown(form, ['amount', 'payment_intent', 'metadata', 'reason']);
    const intentId = form.get('payment_intent');
    if (!intentId) {
      throw invalid('One of the following params should be provided: payment_intent or charge.');
    }
    const intent = intents.store.get(intentId);
    if (!intent) {
      const message = `No such payment_intent: '${intentId}'`;
      throw invalid(message, { code: 'resource_missing', param: 'payment_intent' });
    }
    const charge = intent.latest_charge;
    if (intent.status !== 'succeeded' || !charge) {
      const message = `This PaymentIntent (${intentId}) does not have a successful charge to refund.`;
      throw invalid(message);
    }
    if (isDisputed(intentId)) {
      const message = `Charge ${charge} has been charged back; cannot issue a refund.`;
      throw invalid(message, { code: 'charge_disputed' });
    }
    const left = refundableOf(intent);
    if (left === 0) {
      const message = `Charge ${charge} has already been refunded.`;
      throw invalid(message, { code: 'charge_already_refunded' });
    }
    const amount = form.has('amount') ? amountOf(form, intent.currency) : left;
    if (amount > left) {
      const message = `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`;
      throw invalid(message, { param: 'amount' });
    }
    const refund: Refund = {
      id: newId('re'),
      object: 'refund',
      amount,
      charge,
      created: account.clock.seconds(),
      currency: intent.currency,
      ...(begin.status === 'failed' && { failure_reason: begin.failureReason }),
      metadata: metadataOf(form),
      payment_intent: intentId,
      reason: form.get('reason'),
      status: begin.status,
    };
    return store.put(refund, 'refund.created', ...(hasFailed(refund) ? ['refund.failed'] : []));
  }

  /** Changes the status of a refund, also of one that succeeded: banks return money late. */
  function settle(id: string, status: RefundStatus, failureReason = 'declined'): void {
    const failed = status === 'failed';
    const refund = { ...get(id), status, ...(failed && { failure_reason: failureReason }) };
    store.put(refund, 'refund.updated', ...(failed ? ['refund.failed'] : []));
  }

  return { store, get, create, settle, begin, refundableOf };
}

const hasFailed = ({ status }: Refund) => status === 'failed' || status === 'canceled';
