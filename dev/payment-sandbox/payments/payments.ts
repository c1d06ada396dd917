import { newId } from '../../../subgraphs/shared/ids.js';
import {
  isoTime,
  type PaymentRecord,
  type PaymentStatus,
  paymentTransitions,
} from '../store/records.js';
import type { SandboxStore } from '../store/store.js';
import { requireAmount, requireCurrency } from './currencies.js';
import { behaviourOf } from './methods.js';
import { invalidRequest, Refused, unexpectedState } from './refused.js';

/** After this time since its creation an authorization ends. */
export const authorizationMs = 7 * 24 * 3_600_000;

const idPattern = /^[\w-]{1,64}$/;
const methodMaxLength = 200;

/** The body of a request, before its fields are checked. */
export type RequestBody = Readonly<Record<string, unknown>>;

/**
 * Creates a payment under the id that the client chose, and asks the bank.
 *
 * @throws Refused 409 if the id is taken, also by a payment that was declined or canceled
 */
export function confirm(store: SandboxStore, id: string, body: RequestBody): PaymentRecord {
  if (!idPattern.test(id)) throw invalidRequest('the id of the payment is malformed');
  const known = store.payments.get(id);
  if (known) throw unexpectedState(`the payment is ${known.status} already`);
  const currencyCode = requireCurrency(body.currencyCode);
  const amount = requireAmount(body.amount, currencyCode);
  const { method } = body;
  if (typeof method !== 'string' || method.length > methodMaxLength) {
    throw invalidRequest('the payment method is missing or too long');
  }
  const { begins: status = 'authorized', reason = null } = behaviourOf(method);
  const clientSecret = status === 'requires_action' ? `secret_${newId()}` : null;
  const request = { ...newPayment(id), amount, currencyCode, method, wasConfirmed: true };
  return write(store, { ...request, status, reason, clientSecret });
}

function newPayment(id: string) {
  const createdAt = isoTime();
  return { id, key: id, createdAt, updatedAt: createdAt, hasLapsed: false };
}

/** @throws Refused 404 */
export function requirePayment(store: SandboxStore, id: string): PaymentRecord {
  const payment = store.payments.get(id);
  if (!payment) throw new Refused(404, 'not_found', `unknown payment: ${id}`);
  return isOverdue(payment) ? lapse(store, id) : payment;
}

const isOverdue = ({ status, createdAt }: PaymentRecord) =>
  status === 'authorized' && createdAt <= isoTime(Date.now() - authorizationMs);

/** The payment as a list shows it: an authorization that is overdue has ended, though nothing touched it yet. */
export const asListed = (payment: PaymentRecord): PaymentRecord =>
  isOverdue(payment) ? { ...payment, status: 'canceled', hasLapsed: true } : payment;

/** @throws Refused 404; 409 unless it is authorized, or if the bank refuses */
export function capture(store: SandboxStore, id: string): PaymentRecord {
  const payment = requirePayment(store, id);
  requireTransition(payment, 'captured');
  if (behaviourOf(payment.method).refusesCapture) {
    throw new Refused(409, 'capture_refused', 'the bank withdrew the authorization');
  }
  return move(store, payment, 'captured');
}

/**
 * Ends a payment that is not captured. An unknown id is canceled too: a confirmation that arrives later is
 * refused.
 *
 * @throws Refused 409 for a payment that is captured, pending or canceled
 */
export function cancel(store: SandboxStore, id: string): PaymentRecord {
  if (!idPattern.test(id)) throw invalidRequest('the id of the payment is malformed');
  if (store.payments.get(id)) return move(store, requirePayment(store, id), 'canceled');
  const nothing = { amount: '0', currencyCode: '', method: '', reason: null, clientSecret: null };
  return write(store, { ...newPayment(id), ...nothing, status: 'canceled', wasConfirmed: false });
}

/**
 * The customer or their bank approves or refuses a payment that waits for it.
 *
 * @throws Refused 404; 409 for another payment
 */
export function act(store: SandboxStore, id: string, outcome: 'approve' | 'refuse'): PaymentRecord {
  const payment = requirePayment(store, id);
  if (outcome === 'approve') return move(store, payment, 'authorized');
  return move(store, payment, 'declined', { reason: 'the customer refused the payment' });
}

/** The authorization ends, because it was not captured. @throws Refused 404; 409 unless it is authorized */
export function lapse(store: SandboxStore, id: string): PaymentRecord {
  const payment = store.payments.get(id);
  if (payment?.status === 'authorized') {
    return move(store, payment, 'canceled', { hasLapsed: true });
  }
  throw payment
    ? unexpectedState(`the payment is ${payment.status}`)
    : new Refused(404, 'not_found', `unknown payment: ${id}`);
}

function requireTransition({ status }: PaymentRecord, to: PaymentStatus): void {
  if (!paymentTransitions[status].includes(to)) throw unexpectedState(`the payment is ${status}`);
}

function move(
  store: SandboxStore,
  payment: PaymentRecord,
  status: PaymentStatus,
  more: Partial<PaymentRecord> = {},
): PaymentRecord {
  requireTransition(payment, status);
  return write(store, { ...payment, ...more, status, updatedAt: isoTime() });
}

function write(store: SandboxStore, payment: PaymentRecord): PaymentRecord {
  store.write({ payment });
  return payment;
}
