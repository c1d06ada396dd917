import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { loadConfig } from '../../subgraphs/shared/config.js';
import { HttpError, readBody, sendJson } from '../../subgraphs/shared/http/http.js';
import { serverKeepAliveMs } from '../../subgraphs/shared/http/keep-alive.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { telemetry } from '../../subgraphs/shared/observability/telemetry/telemetry.js';
import { runIfMain, type Service } from '../../subgraphs/shared/runtime/process.js';
import { variables } from './config.js';
import { type Behaviour, behaviourOf, slowBankMs } from './methods.js';
import { type SandboxPayment, SandboxPayments } from './sandbox-payments.js';
import { createWebhooks } from './webhooks.js';

const bodyMaxBytes = 10_000;
/** Longer than the timeout of any client. */
const silenceMs = 60_000;

type Operation = NonNullable<Behaviour['silentAt']> | 'other';

/**
 * A payment provider for development: authorizes, captures, voids and refunds, each once per
 * idempotency key, and reports changes by webhooks. The payment method selects the behaviour.
 */
export async function startPaymentSandbox(env = process.env): Promise<Service> {
  const config = loadConfig(variables, env);
  const webhooks = createWebhooks(
    config.PAYMENT_SANDBOX_WEBHOOK_URL,
    config.PAYMENT_SANDBOX_WEBHOOK_SECRET,
  );
  const payments = new SandboxPayments(config.PAYMENT_SANDBOX_FILE, webhooks.notify);
  const silenced = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  const wait = (ms: number) =>
    new Promise<void>((resolve) => timers.add(setTimeout(resolve, ms).unref()));

  /** Delays the response as the payment method demands. The operation itself is already done. */
  async function delayResponse(
    { id, method }: SandboxPayment,
    operation: Operation,
  ): Promise<void> {
    const { answersAfterMs = 0, silentAt } = behaviourOf(method);
    if (answersAfterMs > 0) await wait(answersAfterMs);
    if (silentAt !== operation || silenced.has(id)) return;
    silenced.add(id);
    await wait(silenceMs);
  }

  function authorize(body: Record<string, string>): SandboxPayment {
    const payment = payments.authorize(body);
    if (payment.status === 'pending') {
      const approve = () => {
        if (payments.get(payment.id).status === 'pending') payments.act(payment.id, 'approve');
      };
      timers.add(setTimeout(approve, slowBankMs).unref());
    }
    return payment;
  }

  async function answer(request: IncomingMessage): Promise<unknown> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sandbox');
    const [, version, noun, id = '', verb] = pathname.split('/');
    const body = JSON.parse((await readBody(request, bodyMaxBytes)).toString() || '{}');
    if (pathname === '/admin/webhooks') return webhooks.control(body);
    if (pathname === '/admin/payments') return payments.all();
    if (version !== 'v1' || noun !== 'payments') throw new HttpError(404, 'not found');
    if (request.method === 'GET') {
      return id ? payments.get(id) : (payments.byKey(searchParams.get('key') ?? '') ?? null);
    }
    const payment = change(id, verb, body);
    await delayResponse(payment, operationOf(id, verb));
    return payment;
  }

  function change(id: string, verb: string | undefined, body: Record<string, string>) {
    if (!id) return authorize(body);
    switch (verb) {
      case 'capture':
        return payments.capture(id);
      case 'void':
        return payments.void(id);
      case 'refunds':
        return payments.refund(id, body);
      case 'act':
        if (body.clientSecret !== payments.get(id).clientSecret)
          throw new HttpError(403, 'wrong secret');
        return payments.act(id, body.outcome === 'refuse' ? 'refuse' : 'approve');
      default:
        throw new HttpError(404, 'not found');
    }
  }

  const respond = (request: IncomingMessage, response: ServerResponse) =>
    answer(request).then(
      (body) => sendJson(response, 200, body),
      (error: Error) =>
        sendJson(response, error instanceof HttpError ? error.status : 400, {
          error: error.message,
        }),
    );
  const server = createServer({ keepAliveTimeout: serverKeepAliveMs }, (request, response) => {
    const work = () => respond(request, response);
    const requestId = String(request.headers['x-request-id'] ?? '');
    void (telemetry()?.serve(request, response, requestId, work) ?? work());
  });
  const url = await listen(server, config.HOST, config.PORT);
  const stop = async () => {
    webhooks.stop();
    for (const timer of timers) clearTimeout(timer);
    server.closeAllConnections();
    await close(server);
  };
  return { url, opsUrl: url, stop };
}

function operationOf(id: string, verb: string | undefined): Operation {
  if (!id) return 'authorize';
  return verb === 'capture' ? 'capture' : verb === 'refunds' ? 'refund' : 'other';
}

runIfMain(import.meta.url, startPaymentSandbox);
