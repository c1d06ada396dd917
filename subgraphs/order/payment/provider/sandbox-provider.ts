import { Pool } from 'undici';
import { clientKeepAlive } from '../../../shared/http/keep-alive.js';
import { withTimeLimit } from '../../../shared/http/time-limit.js';
import {
  KeyUsedUp,
  NotCancelable,
  NotDone,
  type PaymentProvider,
  type Period,
  PermanentRefusal,
  type ProviderPayment,
  RateLimited,
  type SendPage,
  sendAtOnce,
  Unreached,
} from './payment-provider.js';
import {
  type SandboxDispute,
  type SandboxPayment,
  type SandboxRefund,
  toListedPayment,
  toProviderDispute,
  toProviderPayment,
  toProviderRefund,
} from './sandbox-objects.js';
import { parseWebhook } from './sandbox-webhooks.js';

const connectionsMax = 32;
const timeLimitDefaultMs = 8000;
const pageSize = 100;
/** an empty period */
const epoch = { from: new Date(0).toISOString(), to: new Date(0).toISOString() };

interface Page<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
}

/** A request that will never succeed in the present state of the payment. */
class Refusal extends PermanentRefusal {
  constructor(
    readonly status: number,
    code: string,
    message: string,
  ) {
    super(message, code || `http_${status}`);
  }
}

/** A fault of the sandbox: it is unknown whether the request was executed. */
class Fault extends Error {}

/**
 * The provider of `dev/payment-sandbox`, over HTTP. It takes our payment id as its own.
 *
 * @param timeLimitMs of each call; of a list, for each page
 * @param name under which it is configured
 */
export function createSandboxProvider(
  url: string,
  webhookSecret: string,
  timeLimitMs = timeLimitDefaultMs,
  name = 'sandbox',
): PaymentProvider {
  const pool = new Pool(new URL(url).origin, { connections: connectionsMax, ...clientKeepAlive });

  const inTime = <T>(withinMs: number | undefined, work: (signal: AbortSignal) => Promise<T>) =>
    withTimeLimit(Math.ceil(Math.min(withinMs ?? timeLimitMs, timeLimitMs)), work);

  /** GET, or POST if there is a body. @throws NotDone, Refusal, Fault, or another error if there was no answer */
  async function send<T>(path: string, body: object | undefined, signal: AbortSignal): Promise<T> {
    const { status, text } = await exchange(path, body, signal);
    if (status === 200) return JSON.parse(text) as T;
    const { error, code } = readRefusal(text);
    const message = `payment sandbox: ${error}`;
    if (status === 429) throw new RateLimited(message);
    if (code === 'in_flight') throw new NotDone(message);
    throw status >= 500 ? new Fault(message) : new Refusal(status, code, message);
  }

  async function exchange(path: string, body: object | undefined, signal: AbortSignal) {
    try {
      const response = await pool.request({
        method: body ? 'POST' : 'GET',
        path,
        headers: { 'content-type': 'application/json' },
        body: body ? JSON.stringify(body) : null,
        signal,
      });
      return { status: response.statusCode, text: await response.body.text() };
    } catch (error) {
      const { name, message, code = '' } = error as Error & { code?: string };
      if (unreached.has(code)) throw new Unreached(`payment sandbox: ${message || 'unreachable'}`);
      if (name !== 'TimeoutError') throw error;
      throw new Error(`payment sandbox: no answer within ${timeLimitMs} ms`);
    }
  }

  const lookUp = (transactionId: string, signal: AbortSignal): Promise<ProviderPayment> =>
    send<SandboxPayment>(pathOf(transactionId), undefined, signal)
      .then(toProviderPayment)
      .catch(ifUnknown({ transactionId, status: 'unconfirmed' as const }));

  /** Changes a payment, or looks it up if its state does not allow the change. */
  const change = (transactionId: string, verb: string, withinMs?: number, body = {}) =>
    inTime(withinMs, (signal) => changeOrLookUp(transactionId, verb, body, signal));

  async function changeOrLookUp(
    transactionId: string,
    verb: string,
    body: object,
    signal: AbortSignal,
  ): Promise<ProviderPayment> {
    try {
      const path = `${pathOf(transactionId)}/${verb}`;
      return toProviderPayment(await send<SandboxPayment>(path, body, signal));
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'unexpected_state') throw error;
    }
    return lookUp(transactionId, signal).catch((error: Error) => {
      // Not done is only the look-up: a request before it may have changed the payment.
      throw error instanceof NotDone ? new Error(error.message) : error;
    });
  }

  /** What belongs to a payment: nothing if the sandbox does not know it. */
  const listOf = <T>(transactionId: string, noun: string, withinMs?: number): Promise<T[]> =>
    inTime(withinMs, (signal) =>
      send<T[]>(`${pathOf(transactionId)}/${noun}`, undefined, signal).catch(ifUnknown<T[]>([])),
    );

  async function* list<T extends { id: string }, R>(
    noun: string,
    period: Period,
    map: (t: T) => R,
    sendPage: SendPage = sendAtOnce,
  ) {
    const span = { from: period.from.toISOString(), to: period.to.toISOString() };
    let after: { after?: string } = {};
    for (;;) {
      const query = new URLSearchParams({ ...span, ...after, limit: String(pageSize) });
      const page = await sendPage(() =>
        inTime(undefined, (signal) => send<Page<T>>(`/v1/${noun}?${query}`, undefined, signal)),
      );
      yield* page.data.map(map);
      const last = page.data.at(-1);
      if (!page.hasMore || !last) return;
      after = { after: last.id };
    }
  }

  return {
    name,
    timeLimitMs,
    takesOurIds: true,
    create: async ({ paymentId }) => ({ transactionId: paymentId, status: 'unconfirmed' }),
    confirm: ({ transactionId, amount, currencyCode, method }, withinMs) =>
      change(transactionId, 'confirm', withinMs, { amount, currencyCode, method }),
    lookUp: (transactionId, withinMs) =>
      inTime(withinMs, (signal) => lookUp(transactionId, signal)),
    capture: ({ transactionId }, withinMs) => change(transactionId, 'capture', withinMs),
    async cancel(transactionId, withinMs) {
      const payment = await change(transactionId, 'cancel', withinMs);
      if (['canceled', 'captured'].includes(payment.status)) return payment;
      const { status } = payment;
      throw new NotCancelable(`payment sandbox: the payment is ${status}, it was not canceled`);
    },
    async refund({ refundId, attempt, transactionId, amount }, withinMs) {
      const request = { idempotencyKey: `${refundId}:${attempt}`, refundId, amount };
      const path = `${pathOf(transactionId)}/refunds`;
      const sent = inTime(withinMs, (signal) => send<SandboxRefund>(path, request, signal));
      const refund = await sent.catch((error: Error) => {
        throw error instanceof Fault ? new KeyUsedUp(error.message) : error;
      });
      return toProviderRefund(refund);
    },
    refundsOf: async (transactionId, withinMs) =>
      (await listOf<SandboxRefund>(transactionId, 'refunds', withinMs)).map(toProviderRefund),
    disputesOf: async (transactionId, withinMs) =>
      (await listOf<SandboxDispute>(transactionId, 'disputes', withinMs)).map(toProviderDispute),
    listPayments: (period, sendPage) => list('payments', period, toListedPayment, sendPage),
    listRefunds: (period, sendPage) => list('refunds', period, toProviderRefund, sendPage),
    listDisputes: (period, sendPage) => list('disputes', period, toProviderDispute, sendPage),
    parseWebhook: (headers, body) => parseWebhook(headers, body, webhookSecret),
    /** Whether it is reached: it has no account that could contradict the configuration. */
    async check() {
      const path = `/v1/payments?${new URLSearchParams({ ...epoch, limit: '1' })}`;
      await inTime(undefined, (signal) => send(path, undefined, signal));
    },
    close: () => pool.close(),
  };
}

const pathOf = (transactionId: string) => `/v1/payments/${encodeURIComponent(transactionId)}`;

/** Codes of errors that came before a connection: no request was sent. */
const unreached = new Set(
  'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH UND_ERR_CONNECT_TIMEOUT'.split(' '),
);

/** @returns a handler of errors that answers for what the sandbox does not know */
const ifUnknown =
  <T>(answer: T) =>
  (error: unknown): T => {
    if (error instanceof Refusal && error.status === 404) return answer;
    throw error;
  };

function readRefusal(text: string): { error: string; code: string } {
  try {
    return { code: '', error: 'refused', ...JSON.parse(text) };
  } catch {
    return { code: '', error: 'the answer is not JSON' };
  }
}
