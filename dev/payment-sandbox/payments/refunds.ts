import Big from 'big.js';
import { newId } from '../../../subgraphs/shared/ids.js';
import {
  isoTime,
  type RefundRecord,
  type RefundStatus,
  refundTransitions,
  type StoredAnswer,
} from '../store/records.js';
import type { SandboxStore } from '../store/store.js';
import { requireAmount } from './currencies.js';
import { behaviourOf } from './methods.js';
import { type RequestBody, requirePayment } from './payments.js';
import { type Fault, invalidRequest, Refused, unexpectedState } from './refused.js';

const keyMaxLength = 255;

export interface RefundRequest {
  readonly paymentId: string;
  readonly key: string;
  readonly refundId: string;
  readonly amount: unknown;
}

/** @throws Refused 400 for a request that cannot be stored under a key */
export function readRefundRequest(paymentId: string, body: RequestBody): RefundRequest {
  const { idempotencyKey: key, refundId, amount } = body;
  if (typeof key !== 'string' || key === '' || key.length > keyMaxLength) {
    throw invalidRequest('the idempotency key is missing or too long');
  }
  if (typeof refundId !== 'string' || refundId === '') {
    throw invalidRequest('the id of the refund is missing');
  }
  return { paymentId, key, refundId, amount };
}

const parametersOf = ({ paymentId, refundId, amount }: RefundRequest) =>
  JSON.stringify([paymentId, refundId, amount]);

/** @returns the stored answer to a request with this key. @throws Refused 400 if it had other parameters */
export function replay(store: SandboxStore, request: RefundRequest): StoredAnswer | undefined {
  const answer = store.answerOf(request.key);
  if (answer && answer.parameters !== parametersOf(request)) {
    const message = 'the idempotency key was used with other parameters';
    throw new Refused(400, 'idempotency_key_reused', message);
  }
  return answer;
}

const brokenRefund = new Refused(500, 'fault', 'an internal error occurred');

/** Executes a request, and stores what it changes together with the answer. A refusal is an answer too. */
export function executeRefund(
  store: SandboxStore,
  request: RefundRequest,
  fault: Fault | undefined,
): StoredAnswer {
  const { key, paymentId, refundId } = request;
  const write = (status: number, body: object, refund?: RefundRecord): StoredAnswer => {
    const parameters = parametersOf(request);
    const answer = { key, paymentId, parameters, status, body, storedAt: isoTime() };
    store.write(refund ? { refund, answer } : { answer });
    return answer;
  };
  const refusal = fault?.refusal ?? refusalOfMethod(store, paymentId);
  try {
    if (refusal && !fault?.isExecuted) throw refusal;
    const refund = newRefund(store, paymentId, refundId, request.amount);
    if (refusal) return write(refusal.status, refusal.body, refund);
    return write(200, refund, refund);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return write(error.status, error.body);
  }
}

function refusalOfMethod(store: SandboxStore, paymentId: string): Refused | null {
  const method = store.payments.get(paymentId)?.method ?? '';
  const isFaulty = behaviourOf(method).faultsFirstRefund && !store.hasFaulted(paymentId);
  return isFaulty ? brokenRefund : null;
}

/** A refund at the dashboard, without an id of the client. @throws Refused */
export function refundAtDashboard(
  store: SandboxStore,
  paymentId: string,
  body: RequestBody,
): RefundRecord {
  const refund = newRefund(store, paymentId, null, body.amount);
  store.write({ refund });
  return refund;
}

/**
 * @throws Refused 404; 400 unless the payment is captured, while a dispute is open, or if the customer would
 *   get back more than the payment
 */
function newRefund(
  store: SandboxStore,
  paymentId: string,
  refundId: string | null,
  requested: unknown,
): RefundRecord {
  const payment = requirePayment(store, paymentId);
  if (payment.status !== 'captured') {
    throw new Refused(400, 'unexpected_state', `the payment is ${payment.status}`);
  }
  const { currencyCode } = payment;
  const amount = requireAmount(requested, currencyCode);
  const disputes = store.disputesOf(paymentId);
  if (disputes.some(({ status }) => status === 'OPEN')) {
    throw new Refused(400, 'payment_disputed', 'a dispute of the payment is open');
  }
  const returned = [
    ...store.refundsOf(paymentId).filter(({ status }) => status !== 'failed'),
    ...disputes.filter(({ status }) => status === 'LOST'),
  ];
  const sum = returned.reduce((total, each) => total.plus(each.amount), new Big(amount));
  if (sum.gt(payment.amount)) {
    const message = 'the refunds and lost disputes would exceed the payment';
    throw new Refused(400, 'refund_exceeds_payment', message);
  }
  const createdAt = isoTime();
  const stamps = { id: `re_${newId()}`, createdAt, updatedAt: createdAt };
  const status = behaviourOf(payment.method).refunds?.begins ?? 'succeeded';
  return { ...stamps, paymentId, refundId, amount, currencyCode, status, reason: null };
}

/** @param id the refund’s own, or that of the client. @throws Refused 404; 409 in another state */
export function finishRefund(
  store: SandboxStore,
  id: string,
  status: Exclude<RefundStatus, 'pending'>,
  reason: string | null,
): RefundRecord {
  const refund = store.findRefund(id);
  if (!refund) throw new Refused(404, 'not_found', `unknown refund: ${id}`);
  if (!refundTransitions[refund.status].includes(status)) {
    throw unexpectedState(`the refund is ${refund.status}`);
  }
  const changed = {
    ...refund,
    status,
    reason: status === 'failed' ? reason : null,
    updatedAt: isoTime(),
  };
  store.write({ refund: changed });
  return changed;
}
