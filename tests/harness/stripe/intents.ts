import { type Account, type BankAttempt, createStore, newId } from './account.js';
import { invalid, metadataOf, missing, Refusal, requireKnown } from './answers.js';
import { amountOf, currencyOf, requirePaymentMin } from './currencies.js';
import {
  type CardError,
  genericDecline,
  outcomeOf,
  refusedAuthentication,
} from './payment-methods.js';

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled';

export interface Intent {
  readonly id: string;
  readonly object: 'payment_intent';
  readonly amount: number;
  readonly amount_capturable: number;
  readonly amount_received: number;
  readonly canceled_at: number | null;
  readonly cancellation_reason: string | null;
  readonly capture_method: string;
  readonly client_secret: string;
  readonly created: number;
  readonly currency: string;
  readonly last_payment_error: CardError | null;
  readonly latest_charge: string | null;
  readonly livemode: false;
  readonly metadata: Readonly<Record<string, string>>;
  readonly next_action: { readonly type: string } | null;
  readonly payment_method: string | null;
  readonly status: IntentStatus;
}

/** The time after which Stripe cancels an authorization that was not captured. */
export const authorizationMaxMs = 7 * 24 * 3600 * 1000;

const createParams =
  'amount automatic_payment_methods capture_method confirm currency description metadata payment_method payment_method_types';
const confirmable: readonly IntentStatus[] = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
];
const cancelable: readonly IntentStatus[] = [...confirmable, 'requires_capture'];

export type Intents = ReturnType<typeof createIntents>;

/**
 * The PaymentIntents of an account: created, confirmed, which asks the bank of the payment method, and
 * captured or canceled.
 */
export function createIntents(account: Account) {
  const { clock, attempts } = account;
  const store = createStore<Intent>(account);
  const authorizedAtMs = new Map<string, number>();
  const change = (intent: Intent, to: Partial<Intent>, ...events: string[]) =>
    store.put({ ...intent, ...to }, ...events.map((event) => `payment_intent.${event}`));

  function get(id: string): Intent {
    const intent = store.get(id);
    if (!intent) throw missing('payment_intent', id);
    return intent;
  }

  function requireStatus(intent: Intent, allowed: readonly IntentStatus[], done: string): void {
    if (allowed.includes(intent.status)) return;
    throw unexpectedState(
      intent,
      `This PaymentIntent could not be ${done} because it has a status of ${intent.status}. ` +
        `Only a PaymentIntent with one of the following statuses may be ${done}: ${allowed.join(', ')}.`,
    );
  }

  function create(form: URLSearchParams): Intent {
    requireKnown(form, createParams.split(' '));
    const currency = currencyOf(form);
    const amount = amountOf(form, currency);
    requirePaymentMin(amount, currency);
    const id = newId('pi');
    const method = methodIn(form);
    const intent: Intent = {
      id,
      object: 'payment_intent',
      amount,
      amount_capturable: 0,
      amount_received: 0,
      canceled_at: null,
      cancellation_reason: null,
      capture_method: form.get('capture_method') ?? 'automatic',
      client_secret: `${id}_${newId('secret')}`,
      created: clock.seconds(),
      currency,
      last_payment_error: null,
      latest_charge: null,
      livemode: false,
      metadata: metadataOf(form),
      next_action: null,
      payment_method: method,
      status: method ? 'requires_confirmation' : 'requires_payment_method',
    };
    store.put(intent, 'payment_intent.created');
    return form.get('confirm') === 'true' ? confirm(intent, new URLSearchParams()) : intent;
  }

  function confirm(intent: Intent, form: URLSearchParams): Intent {
    requireKnown(form, ['payment_method', 'return_url']);
    requireStatus(intent, confirmable, 'confirmed');
    const given = methodIn(form);
    const method = given ?? intent.payment_method;
    if (!method) {
      throw unexpectedState(
        intent,
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method.",
      );
    }
    // The action that is under way stays the same.
    if (intent.status === 'requires_action' && !given) return intent;
    return askBank({ ...intent, payment_method: method }, method);
  }

  function askBank(intent: Intent, method: string): Intent {
    const outcome = outcomeOf(method);
    const record = (result: BankAttempt['outcome']) =>
      attempts.push({ intentId: intent.id, method, outcome: result });
    if (outcome === 'action') {
      const next_action = { type: 'use_stripe_sdk' };
      return change(intent, { status: 'requires_action', next_action }, 'requires_action');
    }
    if (outcome === 'processing') {
      record('undecided');
      const latest_charge = newId('ch');
      return change(intent, { status: 'processing', latest_charge }, 'processing');
    }
    record(outcome === 'approve' ? 'approved' : 'declined');
    if (outcome === 'approve') return approve({ ...intent, latest_charge: newId('ch') });
    const declined = decline({ ...intent, latest_charge: newId('ch') }, outcome);
    const { payment_method: _, ...error } = outcome;
    throw new Refusal(402, { ...error, payment_intent: declined });
  }

  /** The bank approved: the money is set aside, or taken if the intent is captured automatically. */
  function approve(intent: Intent): Intent {
    if (intent.capture_method !== 'manual') return take(intent, intent.amount);
    authorizedAtMs.set(intent.id, clock.now());
    const to = {
      status: 'requires_capture' as const,
      amount_capturable: intent.amount,
      next_action: null,
    };
    return change(intent, to, 'amount_capturable_updated');
  }

  /** Another payment method is needed: Stripe detaches the one that was declined. */
  function decline(intent: Intent, error: CardError): Intent {
    const to = {
      status: 'requires_payment_method' as const,
      payment_method: null,
      next_action: null,
      last_payment_error: error,
    };
    return change(intent, to, 'payment_failed');
  }

  function take(intent: Intent, amount: number): Intent {
    const to = { amount_received: amount, amount_capturable: 0, next_action: null };
    return change(intent, { status: 'succeeded', ...to }, 'succeeded');
  }

  function capture(intent: Intent, form: URLSearchParams): Intent {
    requireKnown(form, ['amount_to_capture']);
    requireStatus(intent, ['requires_capture'], 'captured');
    if (!form.has('amount_to_capture')) return take(intent, intent.amount_capturable);
    const amount = amountOf(form, intent.currency, 'amount_to_capture');
    if (amount <= intent.amount_capturable) return take(intent, amount);
    throw invalid('The amount to capture is greater than the authorized amount.', {
      code: 'amount_too_large',
      param: 'amount_to_capture',
    });
  }

  function cancel(intent: Intent, form: URLSearchParams): Intent {
    requireKnown(form, ['cancellation_reason']);
    requireStatus(intent, cancelable, 'canceled');
    return end(intent, form.get('cancellation_reason'));
  }

  function end(intent: Intent, reason: string | null): Intent {
    const to = {
      status: 'canceled' as const,
      canceled_at: clock.seconds(),
      cancellation_reason: reason,
      amount_capturable: 0,
      next_action: null,
    };
    return change(intent, to, 'canceled');
  }

  /** Cancels an authorization that was not captured in time. */
  function lapse(id: string): void {
    requireStatus(get(id), ['requires_capture'], 'lapsed');
    end(get(id), 'automatic');
  }

  function lapseOld(): void {
    for (const [id, atMs] of authorizedAtMs) {
      if (clock.now() - atMs < authorizationMaxMs) continue;
      authorizedAtMs.delete(id);
      if (get(id).status === 'requires_capture') lapse(id);
    }
  }

  /** The customer completes or refuses the 3-D Secure check, in a browser. */
  function completeAction(id: string, choice: 'approve' | 'refuse'): void {
    const intent = get(id);
    requireStatus(intent, ['requires_action'], 'completed');
    const method = intent.payment_method as string;
    if (choice === 'refuse') {
      decline(intent, refusedAuthentication(method));
      return;
    }
    attempts.push({ intentId: id, method, outcome: 'approved' });
    approve({ ...intent, latest_charge: newId('ch') });
  }

  /** The bank decides about a payment that is processing. */
  function decide(id: string, choice: 'approve' | 'decline'): void {
    const intent = get(id);
    requireStatus(intent, ['processing'], 'decided');
    const attempt = attempts.findLast(({ intentId }) => intentId === id);
    if (attempt) attempt.outcome = choice === 'approve' ? 'approved' : 'declined';
    if (choice === 'approve') approve(intent);
    else decline(intent, genericDecline(intent.payment_method as string));
  }

  /** The customer confirms with a payment method of their choice, in a browser with the client secret. */
  function payInBrowser(id: string, method: string): void {
    try {
      confirm(get(id), new URLSearchParams({ payment_method: method }));
    } catch (error) {
      // A decline is shown to the customer only.
      if (!(error instanceof Refusal && error.answer.status === 402)) throw error;
    }
  }

  const requests = { get, create, confirm, capture, cancel };
  return { store, ...requests, lapse, lapseOld, completeAction, decide, payInBrowser };
}

const unexpectedState = (intent: Intent, message: string) =>
  invalid(message, { code: 'payment_intent_unexpected_state', payment_intent: intent });

function methodIn(form: URLSearchParams): string | null {
  const method = form.get('payment_method');
  if (!method || (method.startsWith('pm_') && method !== 'pm_unknown')) return method;
  throw invalid(`No such PaymentMethod: '${method}'`, {
    code: 'resource_missing',
    param: 'payment_method',
  });
}
