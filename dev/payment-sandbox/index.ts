import { createServer, type IncomingMessage } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { loadConfig, port, setting, text } from '../../subgraphs/shared/config.js';
import { HttpError, readBody, sendJson } from '../../subgraphs/shared/http.js';
import { runIfMain, type Service } from '../../subgraphs/shared/process.js';
import { close, listen } from '../../subgraphs/shared/server.js';

export const variables = {
  HOST: setting(text, '127.0.0.1', 'the address on which the sandbox listens'),
  PORT: setting(port, '4010', 'the port of the sandbox'),
};

interface SandboxPayment {
  readonly id: string;
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
  status: 'authorized' | 'declined' | 'captured' | 'voided';
  readonly reason: string | null;
}

/** Methods that are declined, and what is said then; every other one succeeds. */
const declines: Record<string, string> = {
  'Declined Card': 'the card was declined',
  'Empty Account': 'insufficient funds',
};
const bodyMaxBytes = 10_000;

/**
 * A payment provider to develop against: authorizes, captures and voids, each once for one key.
 * It forgets everything when it ends.
 */
export async function startPaymentSandbox(env = process.env): Promise<Service> {
  const config = loadConfig(variables, env);
  const payments = new Map<string, SandboxPayment>();
  const idsByKey = new Map<string, string>();

  async function answer(request: IncomingMessage): Promise<SandboxPayment> {
    const [, version, noun, id, verb] = (request.url ?? '').split('/');
    if (version !== 'v1' || noun !== 'payments') throw new HttpError(404, 'no such path');
    const body = JSON.parse((await readBody(request, bodyMaxBytes)).toString() || '{}');
    if (request.method === 'POST' && id === undefined) return authorize(body);
    const payment = payments.get(id ?? '');
    if (!payment) throw new HttpError(404, `there is no payment ${id}`);
    if (request.method === 'GET' && verb === undefined) return payment;
    if (verb === 'capture') return move(payment, 'captured', 'voided');
    if (verb === 'void') return move(payment, 'voided', 'captured');
    throw new HttpError(404, 'no such path');
  }

  function authorize(body: Record<string, string>): SandboxPayment {
    const { idempotencyKey = '', amount = '', currencyCode = '', method = '' } = body;
    const known = payments.get(idsByKey.get(idempotencyKey) ?? '');
    if (known) return known;
    if (!idempotencyKey || !(Number(amount) > 0)) throw new HttpError(400, 'key or amount missing');
    const reason = declines[method] ?? null;
    const status = reason ? 'declined' : 'authorized';
    const payment: SandboxPayment = { id: uuidv7(), amount, currencyCode, method, status, reason };
    payments.set(payment.id, payment);
    idsByKey.set(idempotencyKey, payment.id);
    return payment;
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (payment) => sendJson(response, 200, payment),
      (error: Error) =>
        sendJson(response, error instanceof HttpError ? error.status : 400, {
          error: error.message,
        }),
    );
  });
  const url = await listen(server, config.HOST, config.PORT);
  return { url, opsUrl: url, stop: () => close(server) };
}

function move(payment: SandboxPayment, to: 'captured' | 'voided', never: 'captured' | 'voided') {
  if (payment.status === never || payment.status === 'declined') {
    throw new HttpError(409, `the payment is ${payment.status}`);
  }
  payment.status = to;
  return payment;
}

runIfMain(import.meta.url, startPaymentSandbox);
