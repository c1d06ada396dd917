import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { loadConfig, port, setting, text } from '../../subgraphs/shared/config.js';
import { HttpError, readBody, sendJson } from '../../subgraphs/shared/http.js';
import { runIfMain, type Service } from '../../subgraphs/shared/process.js';
import { close, listen } from '../../subgraphs/shared/server.js';

export const variables = {
  HOST: setting(text, '127.0.0.1', 'the address on which the sandbox listens'),
  PORT: setting(port, '4010', 'the port of the sandbox'),
  PAYMENT_SANDBOX_FILE: setting(
    z.string(),
    '',
    'the file in which the sandbox keeps its payments; without one it forgets them when it ends',
  ),
};

interface SandboxPayment {
  readonly id: string;
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
  status: 'authorized' | 'declined' | 'captured' | 'voided';
  readonly reason: string | null;
  /** under which it was authorized, once */
  readonly key: string;
}

/** Methods that are declined, and what is said then; every other one succeeds. */
const declines: Record<string, string> = {
  'Declined Card': 'the card was declined',
  'Empty Account': 'insufficient funds',
};
const bodyMaxBytes = 10_000;

/**
 * A payment provider to develop against: authorizes, captures and voids, each once for one key.
 * With a file it remembers what it did, as a provider does.
 */
export async function startPaymentSandbox(env = process.env): Promise<Service> {
  const config = loadConfig(variables, env);
  const payments = new Map<string, SandboxPayment>();
  const idsByKey = new Map<string, string>();
  const keep = (payment: SandboxPayment) => {
    payments.set(payment.id, payment);
    idsByKey.set(payment.key, payment.id);
  };
  const file = config.PAYMENT_SANDBOX_FILE;
  for (const payment of readPayments(file)) keep(payment);
  const write = (payment: SandboxPayment) => {
    keep(payment);
    if (file) appendFileSync(file, `${JSON.stringify(payment)}\n`);
    return payment;
  };

  async function answer(request: IncomingMessage): Promise<SandboxPayment> {
    const [, version, noun, id, verb] = (request.url ?? '').split('/');
    if (version !== 'v1' || noun !== 'payments') throw new HttpError(404, 'no such path');
    const body = JSON.parse((await readBody(request, bodyMaxBytes)).toString() || '{}');
    if (request.method === 'POST' && id === undefined) return authorize(body);
    const payment = payments.get(id ?? '');
    if (!payment) throw new HttpError(404, `there is no payment ${id}`);
    if (request.method === 'GET' && verb === undefined) return payment;
    if (verb === 'capture') return write(move(payment, 'captured', 'voided'));
    if (verb === 'void') return write(move(payment, 'voided', 'captured'));
    throw new HttpError(404, 'no such path');
  }

  function authorize(body: Record<string, string>): SandboxPayment {
    const { idempotencyKey = '', amount = '', currencyCode = '', method = '' } = body;
    const known = payments.get(idsByKey.get(idempotencyKey) ?? '');
    if (known) return known;
    if (!idempotencyKey || !(Number(amount) > 0)) throw new HttpError(400, 'key or amount missing');
    const reason = declines[method] ?? null;
    const status = reason ? 'declined' : 'authorized';
    const key = idempotencyKey;
    return write({ id: uuidv7(), amount, currencyCode, method, status, reason, key });
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

/** What was written before, the last line of each payment last; a line that was cut off is left. */
function readPayments(file: string): SandboxPayment[] {
  if (!file || !existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
}

function move(payment: SandboxPayment, to: 'captured' | 'voided', never: 'captured' | 'voided') {
  if (payment.status === never || payment.status === 'declined') {
    throw new HttpError(409, `the payment is ${payment.status}`);
  }
  payment.status = to;
  return payment;
}

runIfMain(import.meta.url, startPaymentSandbox);
