import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { loadConfig } from '../../subgraphs/shared/config.js';
import { HttpError, readBody, sendJson } from '../../subgraphs/shared/http/http.js';
import { serverKeepAliveMs } from '../../subgraphs/shared/http/keep-alive.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { telemetry } from '../../subgraphs/shared/observability/telemetry/telemetry.js';
import { runIfMain, type Service } from '../../subgraphs/shared/runtime/process.js';
import { variables } from './config.js';
import { createAdmin } from './http/admin.js';
import { type Answer, createApi, notFound } from './http/api.js';
import { createChallenge } from './http/challenge.js';
import { createControls } from './http/controls.js';
import { startWebhooks } from './http/webhooks.js';
import { scheduleLaterChanges } from './payments/later-changes.js';
import type { RequestBody } from './payments/payments.js';
import { invalidRequest, Refused } from './payments/refused.js';
import { createTimers } from './payments/timers.js';
import { SandboxStore } from './store/store.js';

const bodyMaxBytes = 10_000;

/**
 * A payment provider for development, which behaves like a real one: it authorizes, captures, cancels and
 * refunds, reports changes by webhooks, and refunds once per idempotency key. The payment method selects
 * how a payment goes on; below `/admin`, developers and tests act at its dashboard and set faults; below
 * `/challenge`, customers approve or refuse a payment.
 */
export async function startPaymentSandbox(env = process.env): Promise<Service> {
  const config = loadConfig(variables, env);
  const store = new SandboxStore(config.PAYMENT_SANDBOX_FILE);
  const timers = createTimers();
  const controls = createControls();
  const webhooks = startWebhooks(store, timers, {
    url: config.PAYMENT_SANDBOX_WEBHOOK_URL,
    secret: config.PAYMENT_SANDBOX_WEBHOOK_SECRET,
  });
  scheduleLaterChanges(store, timers);
  const api = createApi(store, controls, timers);
  const admin = createAdmin(store, controls, webhooks);
  const challenge = createChallenge(store);

  async function answer(
    request: IncomingMessage,
    { part, rest, search }: Address,
  ): Promise<Answer> {
    const { method = 'GET' } = request;
    const body = readObject(await readBody(request, bodyMaxBytes));
    if (part === 'v1') return api({ method, path: rest, search, body });
    if (part === 'admin') return admin({ method, path: rest, search, body });
    throw notFound();
  }

  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const address = addressOf(request);
    const [id, ...more] = address.rest;
    if (address.part === 'challenge' && id && more.length === 0) {
      return challenge(request, response, { id, search: address.search });
    }
    const { status, body } = await answer(request, address).catch(answerTo);
    sendJson(response, status, body);
  };
  const server = createServer({ keepAliveTimeout: serverKeepAliveMs }, (request, response) => {
    const work = () => respond(request, response);
    const requestId = String(request.headers['x-request-id'] ?? '');
    void (telemetry()?.serve(request, response, requestId, work) ?? work());
  });
  const url = await listen(server, config.HOST, config.PORT);
  const stop = async () => {
    timers.stop();
    await webhooks.close();
    server.closeAllConnections();
    await close(server);
    store.close();
  };
  return { url, opsUrl: url, stop };
}

interface Address {
  /** the first part of the path, and those after it */
  readonly part: string | undefined;
  readonly rest: readonly string[];
  /** the query string, without “?” */
  readonly search: string;
}

function addressOf({ url = '/' }: IncomingMessage): Address {
  const [path = '', search = ''] = url.split('?', 2);
  const [, part, ...rest] = path.split('/');
  return { part, rest, search };
}

function answerTo(error: Error): Answer {
  if (error instanceof Refused) return { status: error.status, body: error.body };
  const status = error instanceof HttpError ? error.status : 500;
  return { status, body: { error: error.message } };
}

/** @throws Refused 400 */
function readObject(body: Buffer): RequestBody {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === 'object' && value !== null) return value as RequestBody;
  } catch {
    // refused like any other value
  }
  throw invalidRequest('the body is not a JSON object');
}

runIfMain(import.meta.url, startPaymentSandbox);
