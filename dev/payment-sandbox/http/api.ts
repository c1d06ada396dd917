import { actAsCustomer } from '../payments/customer.js';
import { behaviourOf } from '../payments/methods.js';
import {
  cancel,
  capture,
  confirm,
  type RequestBody,
  requirePayment,
} from '../payments/payments.js';
import { executeRefund, readRefundRequest, replay } from '../payments/refunds.js';
import { Refused } from '../payments/refused.js';
import type { Timers } from '../payments/timers.js';
import type { PaymentRecord } from '../store/records.js';
import type { SandboxStore } from '../store/store.js';
import type { Controls, Operation } from './controls.js';
import { list } from './lists.js';

/** Longer than the timeout of any client. */
const silenceMs = 60_000;

export interface SandboxRequest {
  readonly method: string;
  /** the parts of the path after the first one */
  readonly path: readonly string[];
  /** the query string, without “?” */
  readonly search: string;
  readonly body: RequestBody;
}

export interface Answer {
  readonly status: number;
  readonly body: object;
}

const ok = (body: object): Answer => ({ status: 200, body });

/** The HTTP API for clients, below `/v1`. */
export function createApi(store: SandboxStore, controls: Controls, timers: Timers) {
  /** the idempotency keys of the requests that are being executed */
  const inFlight = new Set<string>();

  const slowDown = async (method: string) => {
    const { answersAfterMs = 0 } = behaviourOf(method);
    if (answersAfterMs > 0) await timers.wait(answersAfterMs);
  };

  /** Executes an operation at once, and answers as the fault and the payment method demand. */
  async function execute(operation: Operation, work: () => PaymentRecord): Promise<Answer> {
    const fault = controls.takeFault(operation);
    if (fault?.refusal && !fault.isExecuted) throw fault.refusal;
    const payment = work();
    if (fault?.refusal) throw fault.refusal;
    const { silentAt } = behaviourOf(payment.method);
    if (operation !== 'lookUp') await slowDown(payment.method);
    if (fault || silentAt === operation) await timers.wait(silenceMs);
    return ok(payment);
  }

  /** Executes a request for a refund once per idempotency key. */
  async function refund(paymentId: string, body: RequestBody): Promise<Answer> {
    const request = readRefundRequest(paymentId, body);
    const { key } = request;
    if (inFlight.has(key)) {
      throw new Refused(409, 'in_flight', 'a request with this idempotency key is in flight');
    }
    const stored = replay(store, request);
    if (stored) return stored;
    const fault = controls.takeFault('refund');
    const answer = executeRefund(store, request, fault);
    const method = store.payments.get(paymentId)?.method ?? '';
    inFlight.add(key);
    await slowDown(method).finally(() => inFlight.delete(key));
    const isLost = behaviourOf(method).silentAt === 'refund' && isFirstRefund(paymentId, answer);
    if ((fault && !fault.refusal) || isLost) await timers.wait(silenceMs);
    return answer;
  }

  const isFirstRefund = (paymentId: string, { status }: Answer) =>
    status === 200 && store.refundsOf(paymentId).length === 1;

  function get([noun = '', id, verb]: readonly string[], search: string): Answer | Promise<Answer> {
    if (!id) return ok(list(store, controls, noun, search));
    if (noun !== 'payments') throw notFound();
    if (!verb) return execute('lookUp', () => requirePayment(store, id));
    requirePayment(store, id);
    const asOf = controls.listedAt();
    if (verb === 'refunds') return ok(store.refunds.at(store.refundsOf(id), asOf));
    if (verb === 'disputes') return ok(store.disputes.at(store.disputesOf(id), asOf));
    throw notFound();
  }

  function post(
    [noun, id = '', verb]: readonly string[],
    body: RequestBody,
  ): Answer | Promise<Answer> {
    if (noun !== 'payments' || !id) throw notFound();
    switch (verb) {
      case 'confirm':
        return execute('confirm', () => confirm(store, id, body));
      case 'capture':
        return execute('capture', () => capture(store, id));
      case 'cancel':
        return execute('cancel', () => cancel(store, id));
      case 'refunds':
        return refund(id, body);
      case 'act':
        return ok(actAsCustomer(store, id, body));
      default:
        throw notFound();
    }
  }

  return async ({ method, path, search, body }: SandboxRequest): Promise<Answer> => {
    // The customer is not limited by the requests of the shop.
    if (path[2] !== 'act') controls.requireToken();
    return method === 'GET' ? get(path, search) : post(path, body);
  };
}

export const notFound = () => new Refused(404, 'not_found', 'not found');
