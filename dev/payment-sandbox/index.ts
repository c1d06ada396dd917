import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { loadConfig } from '../../subgraphs/shared/config.js';
import { HttpError, readBody, sendJson } from '../../subgraphs/shared/http/http.js';
import { serverKeepAliveMs } from '../../subgraphs/shared/http/keep-alive.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { telemetry } from '../../subgraphs/shared/observability/telemetry/telemetry.js';
import { runIfMain, type Service } from '../../subgraphs/shared/runtime/process.js';
import { variables } from './config.js';
import { type Behaviour, behaviourOf, slowBankMs } from './methods.js';
import { Books, type SandboxPayment } from './sandbox-payments.js';
import { createWebhooks } from './webhooks.js';

const bodyMaxBytes = 10_000;
/** Longer than anybody waits for an answer. */
const silenceMs = 60_000;

type Verb = NonNullable<Behaviour['silentAt']> | 'other';

/**
 * A payment provider to develop against: authorizes, captures, voids and refunds, each once for one
 * key, and tells of it by webhooks. The method of a payment chooses how it behaves.
 */
export async function startPaymentSandbox(env = process.env): Promise<Service> {
  const config = loadConfig(variables, env);
  const webhooks = createWebhooks(
    config.PAYMENT_SANDBOX_WEBHOOK_URL,
    config.PAYMENT_SANDBOX_WEBHOOK_SECRET,
  );
  const books = new Books(config.PAYMENT_SANDBOX_FILE, webhooks.tell);
  const kept = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  const wait = (ms: number) =>
    new Promise<void>((resolve) => timers.add(setTimeout(resolve, ms).unref()));

  /** Answers late, or not at all where the method says so: what was asked for is done all the same. */
  async function answerAs({ id, method }: SandboxPayment, verb: Verb): Promise<void> {
    const { answersAfterMs = 0, silentAt } = behaviourOf(method);
    if (answersAfterMs > 0) await wait(answersAfterMs);
    if (silentAt !== verb || kept.has(id)) return;
    kept.add(id);
    await wait(silenceMs);
  }

  function authorize(body: Record<string, string>): SandboxPayment {
    const payment = books.authorize(body);
    if (payment.status === 'pending') {
      const approve = () => {
        if (books.get(payment.id).status === 'pending') books.act(payment.id, 'approve');
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
    if (pathname === '/admin/payments') return books.all();
    if (version !== 'v1' || noun !== 'payments') throw new HttpError(404, 'no such path');
    if (request.method === 'GET') {
      return id ? books.get(id) : (books.byKey(searchParams.get('key') ?? '') ?? null);
    }
    const payment = change(id, verb, body);
    const told = verb === 'capture' ? 'capture' : verb === 'refunds' ? 'refund' : 'other';
    await answerAs(payment, id ? told : 'authorize');
    return payment;
  }

  function change(id: string, verb: string | undefined, body: Record<string, string>) {
    if (!id) return authorize(body);
    switch (verb) {
      case 'capture':
        return books.capture(id);
      case 'void':
        return books.void(id);
      case 'refunds':
        return books.refund(id, body);
      case 'act':
        if (body.clientSecret !== books.get(id).clientSecret) throw new HttpError(403, 'not yours');
        return books.act(id, body.outcome === 'refuse' ? 'refuse' : 'approve');
      default:
        throw new HttpError(404, 'no such path');
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

runIfMain(import.meta.url, startPaymentSandbox);
