import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { readBody } from '../../subgraphs/shared/http/http.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';

interface Intent {
  id: string;
  object: 'payment_intent';
  amount: number;
  currency: string;
  status: string;
  client_secret: string;
  metadata: Record<string, string>;
  last_payment_error?: { message: string };
}
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const failure = (status: number, error: object): Answer => ({ status, body: { error } });
const unexpectedState = (intent: Intent) =>
  failure(400, {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    message: `This PaymentIntent is ${intent.status}.`,
  });

/** Implements the part of Stripe's API that is used, with idempotency keys, and records all requests. */
export async function startStripeServer() {
  const intents = new Map<string, Intent>();
  const answers = new Map<string, Answer>();
  const refunds: { amount: number }[] = [];
  const refundsOf = new Map<string, object[]>();
  const requests: { path: string; form: URLSearchParams; key: string | undefined }[] = [];
  /** the faults of the next requests, one each */
  const faults: Array<'500' | 'no response' | 'done, no response'> = [];

  function create(form: URLSearchParams): Answer {
    const method = form.get('payment_method');
    const intent: Intent = {
      id: `pi_${randomUUID()}`,
      object: 'payment_intent',
      amount: Number(form.get('amount')),
      currency: form.get('currency') as string,
      status: 'requires_capture',
      client_secret: `secret_${randomUUID()}`,
      metadata: { payment_id: form.get('metadata[payment_id]') as string },
    };
    if (method === 'Credit Card') {
      const message = `No such PaymentMethod: '${method}'`;
      return failure(400, { type: 'invalid_request_error', code: 'resource_missing', message });
    }
    intents.set(intent.id, intent);
    if (method === 'pm_card_authenticationRequired') intent.status = 'requires_action';
    if (method === 'pm_card_chargeDeclined') {
      intent.status = 'requires_payment_method';
      const message = 'Your card was declined.';
      return failure(402, { type: 'card_error', message, payment_intent: intent });
    }
    return { status: 200, body: intent };
  }

  function act(intent: Intent, verb: string | undefined): Answer {
    const to = verb === 'capture' ? 'succeeded' : 'canceled';
    const from =
      verb === 'capture' ? ['requires_capture'] : ['requires_capture', 'requires_action'];
    if (!from.includes(intent.status)) return unexpectedState(intent);
    intent.status = to;
    return { status: 200, body: { ...intent } };
  }

  function refund(form: URLSearchParams): Answer {
    const amount = Number(form.get('amount'));
    refunds.push({ amount });
    const intentId = form.get('payment_intent') as string;
    const metadata = { refund_id: form.get('metadata[refund_id]') };
    const created = { id: `re_${randomUUID()}`, object: 'refund', status: 'succeeded', metadata };
    refundsOf.set(intentId, [...(refundsOf.get(intentId) ?? []), created]);
    return { status: 200, body: created };
  }

  function listRefunds(intentId: string): Answer {
    const data = refundsOf.get(intentId) ?? [];
    return { status: 200, body: { object: 'list', data, has_more: false } };
  }

  function perform(request: IncomingMessage, form: URLSearchParams): Answer {
    const url = new URL(request.url ?? '/', 'http://stripe');
    const [, , noun, id, verb] = url.pathname.split('/');
    if (noun === 'refunds') {
      const intentId = url.searchParams.get('payment_intent');
      return intentId ? listRefunds(intentId) : refund(form);
    }
    if (id === 'search') {
      const paymentId = /'([0-9a-f-]{36})'/.exec(url.searchParams.get('query') ?? '')?.[1];
      const data = [...intents.values()].filter((each) => each.metadata.payment_id === paymentId);
      return { status: 200, body: { object: 'search_result', data } };
    }
    if (!id) return create(form);
    const intent = intents.get(id);
    if (!intent) return failure(404, { type: 'invalid_request_error', message: 'No such intent' });
    return request.method === 'GET' ? { status: 200, body: intent } : act(intent, verb);
  }

  const server = createServer(async (request, response) => {
    const form = new URLSearchParams((await readBody(request, 100_000)).toString());
    const key = request.headers['idempotency-key'] as string | undefined;
    requests.push({ path: request.url ?? '', form, key });
    const fault = faults.shift();
    if (fault === 'no response') return;
    if (fault === '500') {
      const error = { type: 'api_error', message: 'Something is wrong on our side.' };
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error }));
      return;
    }
    const answer = (key && answers.get(key)) || perform(request, form);
    const saved = { ...answer, body: structuredClone(answer.body) };
    if (key) answers.set(key, saved);
    if (fault === 'done, no response') return;
    response.writeHead(saved.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(saved.body));
  });
  const url = await listen(server, '127.0.0.1', 0);
  return {
    url,
    intents,
    refunds,
    requests,
    faults,
    /** Forgets all idempotency keys, as Stripe does after a day. */
    expireKeys: () => answers.clear(),
    async stop() {
      server.closeAllConnections();
      await close(server);
    },
  };
}
