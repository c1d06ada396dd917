import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readBody } from '../../../subgraphs/shared/http/http.js';
import { close, listen } from '../../../subgraphs/shared/http/server.js';
import { createAccount } from './account.js';
import { type Answer, failure, lockTimeout, Refusal, rateLimited, serverFault } from './answers.js';
import { createDisputes } from './disputes.js';
import { createIdempotencyKeys } from './idempotency.js';
import { createIntents } from './intents.js';
import { createInterference } from './interference.js';
import { createOwnAccount } from './own-account.js';
import { createRefunds } from './refunds.js';
import { createRoutes } from './routes.js';

/** A request, in the books of the double. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly key: string | undefined;
  /** of the answer; null if there was none */
  status: number | null;
  /** whether the answer of an earlier request with the key was repeated */
  isReplayed: boolean;
}

export type StripeServer = Awaited<ReturnType<typeof startStripeServer>>;

const bodyMaxBytes = 100_000;
const host = '127.0.0.1';

/**
 * A double of Stripe that behaves like it, as far as payments, refunds and disputes are concerned. It
 * records all requests. What banks, customers and the dashboard do is controlled by the test.
 */
export async function startStripeServer() {
  const account = createAccount();
  const { clock, attempts, webhooks, listLag } = account;
  const intents = createIntents(account);
  const disputes = createDisputes(account, intents);
  const refunds = createRefunds(account, intents, disputes.forbidsRefunds);
  const ownAccount = createOwnAccount();
  const keys = createIdempotencyKeys();
  const interference = createInterference();
  const lists = { pageMax: Number.POSITIVE_INFINITY };
  const execute = createRoutes({ ownAccount, intents, refunds, disputes, lists });
  const requests: RecordedRequest[] = [];
  /** intents with a request that is held */
  const locked = new Set<string>();

  function perform(request: RecordedRequest): Answer {
    try {
      return { status: 200, body: execute(request) };
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
  }

  /** Executes a request once no test holds it. Until then its intent is locked, as at Stripe. */
  async function performLater(request: RecordedRequest, name: string): Promise<Answer> {
    const intentId = intentOf(request);
    const isWrite = request.method === 'POST';
    if (isWrite && intentId && locked.has(intentId)) return lockTimeout;
    const released = interference.takeHold(name);
    if (released) {
      if (isWrite && intentId) locked.add(intentId);
      await released;
      if (isWrite && intentId) locked.delete(intentId);
    }
    return perform(request);
  }

  /** @returns null if there is no answer, or `reset` to close the connection */
  async function answer(
    request: RecordedRequest,
    authorization: string,
  ): Promise<Answer | 'reset' | null> {
    const name = `${request.method} ${request.path}`;
    const fault = interference.takeFault(name);
    if (fault === 'no response') return null;
    if (fault === 'reset') return 'reset';
    if (fault === '429' || interference.isOverLimit(request.method)) return rateLimited;
    if (fault === 'lock_timeout') return lockTimeout;
    const unauthorized = refuseKey(authorization, request.method);
    if (unauthorized) return unauthorized;
    const { key } = request;
    const known = key && keys.claim(key, `${name}?${request.form}`);
    if (known) {
      request.isReplayed = known.status !== 409;
      return known;
    }
    const isRefusal = typeof fault === 'object';
    const unexecuted = isRefusal ? fault : fault === '500' ? serverFault : null;
    const executed = unexecuted ?? (await performLater(request, name));
    const result = fault === '500 after execution' ? serverFault : executed;
    if (key) keys.store(key, result);
    if (fault === 'done, no response') return null;
    return fault === 'done, reset' ? 'reset' : result;
  }

  const server = createServer(async (message, response) => {
    const body = await readBody(message, bodyMaxBytes).catch(() => null);
    // The client went away before it sent the whole request.
    if (!body) return;
    const request = recorded(message, body.toString());
    requests.push(request);
    intents.lapseOld();
    const result = await answer(request, message.headers.authorization ?? '');
    if (result === 'reset') message.socket.destroy();
    else if (result) send(response, request, result);
  });
  const url = await listen(server, host, 0);

  const empty = new URLSearchParams();
  const withAmount = (name: string, amount?: number) =>
    new URLSearchParams(amount === undefined ? {} : { [name]: String(amount) });

  return {
    url,
    /** the double's books, in the order of arrival */
    requests,
    /** every time that a bank was asked for money */
    attempts,
    intents: intents.store,
    refunds: refunds.store,
    disputes: disputes.store,
    webhooks,
    /** what the account says of itself */
    account: ownAccount.settings,
    /** how far lists are behind */
    listLag,
    /** `lists.pageMax` limits the pages of all lists further */
    lists,
    limits: interference.limits,
    failNext: interference.failNext,
    failNextOf: interference.failNextOf,
    faultsLeft: interference.faultsLeft,
    holdNext: interference.holdNext,
    /** Forgets all idempotency keys, as Stripe does after a day. */
    expireKeys: keys.expire,
    now: clock.now,
    /** Advances the clock of the double, in ms. */
    advance(ms: number) {
      clock.advance(ms);
      intents.lapseOld();
    },
    lapse: intents.lapse,
    completeAction: intents.completeAction,
    decide: intents.decide,
    payInBrowser: intents.payInBrowser,
    /** the status of refunds that are created from now on, and the reason if it is `failed` */
    newRefunds: refunds.begin,
    settleRefund: refunds.settle,
    openDispute: disputes.open,
    setDispute: disputes.set,
    /** What somebody does at the dashboard, without our metadata. Amounts in the smallest unit. */
    dashboard: {
      charge: (amount: number, currency: string) =>
        intents.create(
          new URLSearchParams({
            amount: String(amount),
            currency,
            payment_method: 'pm_card_visa',
            confirm: 'true',
          }),
        ).id,
      capture: (id: string, amount?: number) =>
        void intents.capture(intents.get(id), withAmount('amount_to_capture', amount)),
      cancel: (id: string) => void intents.cancel(intents.get(id), empty),
      refund(id: string, amount?: number) {
        const form = withAmount('amount', amount);
        form.set('payment_intent', id);
        return refunds.create(form).id;
      },
    },
    /** Refuses connections until `comeUp`. */
    async goDown() {
      server.closeAllConnections();
      await close(server);
    },
    comeUp: () => listen(server, host, Number(new URL(url).port)),
    async stop() {
      server.closeAllConnections();
      if (server.listening) await close(server);
      await webhooks.whenSent();
    },
  };
}

function recorded(message: IncomingMessage, body: string): RecordedRequest {
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://stripe');
  return {
    method: message.method ?? '',
    path: pathname,
    query: searchParams,
    form: new URLSearchParams(body),
    key: message.headers['idempotency-key'] as string | undefined,
    status: null,
    isReplayed: false,
  };
}

/** The intent that a request is about: in its path, or as a parameter. */
const intentOf = ({ path, form }: RecordedRequest) =>
  /\/payment_intents\/([^/]+)/.exec(path)?.[1] ?? form.get('payment_intent');

/** Accepts any `sk_test_…`, and the live keys `sk_live_x` and `sk_live_y`; restricted keys (`rk_test_…`) may only read. */
function refuseKey(authorization: string, method: string): Answer | null {
  if (/^Bearer sk_(test_|live_[xy]$)/.test(authorization)) return null;
  if (!authorization.startsWith('Bearer rk_test_')) {
    return failure(401, { type: 'invalid_request_error', message: 'Invalid API Key provided' });
  }
  if (method === 'GET') return null;
  const message = 'The provided key does not have the required permissions for this endpoint.';
  return failure(403, { type: 'invalid_request_error', message });
}

function send(response: ServerResponse, request: RecordedRequest, { status, body }: Answer): void {
  request.status = status;
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(request.key && { 'idempotency-key': request.key }),
    ...(request.isReplayed && { 'idempotent-replayed': 'true' }),
  });
  response.end(JSON.stringify(body));
}
