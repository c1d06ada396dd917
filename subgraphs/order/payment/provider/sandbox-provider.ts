import { createHmac, timingSafeEqual } from 'node:crypto';
import { Pool } from 'undici';
import { z } from 'zod';
import { clientKeepAlive } from '../../../shared/http/keep-alive.js';
import {
  type PaymentProvider,
  type PaymentRef,
  PermanentRefusal,
  type ProviderPayment,
  WebhookRefused,
  webhookAgeMaxSeconds,
} from './payment-provider.js';

const timeoutMs = 4000;
const connectionsMax = 32;

interface SandboxPayment {
  id: string;
  status: 'authorized' | 'declined' | 'requires_action' | 'pending' | 'captured' | 'voided';
  reason: string | null;
  clientSecret: string | null;
}

/** The provider of `dev/payment-sandbox`, over HTTP. */
export function createSandboxProvider(url: string, webhookSecret: string): PaymentProvider {
  const pool = new Pool(new URL(url).origin, { connections: connectionsMax, ...clientKeepAlive });

  async function send<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const response = await pool.request({
      method,
      path,
      headers: { 'content-type': 'application/json' },
      body: body ? JSON.stringify(body) : null,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const reply = (await response.body.json()) as T & { error?: string };
    if (response.statusCode === 200) return reply;
    const message = `payment sandbox: ${reply.error}`;
    throw response.statusCode < 500 ? new PermanentRefusal(message) : new Error(message);
  }
  const change = (payment: { transactionId: string | null }, verb: string, body: object = {}) =>
    send<SandboxPayment>('POST', `/v1/payments/${payment.transactionId}/${verb}`, body);

  return {
    name: 'sandbox',
    async authorize({ paymentId, amount, currencyCode, method }) {
      const request = { idempotencyKey: paymentId, amount, currencyCode, method };
      return toProviderPayment(await send<SandboxPayment>('POST', '/v1/payments', request));
    },
    async lookUp({ paymentId }: PaymentRef) {
      const known = await send<SandboxPayment | null>('GET', `/v1/payments?key=${paymentId}`);
      return known && toProviderPayment(known);
    },
    async capture(payment) {
      await change(payment, 'capture');
    },
    async void(payment) {
      await change(payment, 'void');
    },
    async refund({ refundId, transactionId, amount }) {
      await change({ transactionId }, 'refunds', { idempotencyKey: refundId, amount });
    },
    parseWebhook(headers, body) {
      requireSignature(headers['x-sandbox-signature'], body, webhookSecret);
      const { id, data } = readEvent(body);
      return { eventId: id, paymentId: data.key, transactionId: data.id };
    },
    close: () => pool.close(),
  };
}

function readEvent(body: Buffer) {
  try {
    return webhook.parse(JSON.parse(body.toString('utf8')));
  } catch {
    throw new WebhookRefused('the event is malformed');
  }
}

const webhook = z.object({
  id: z.string().min(1).max(255),
  data: z.object({ id: z.string(), key: z.string() }),
});

function toProviderPayment({ id, status, reason, clientSecret }: SandboxPayment): ProviderPayment {
  const transactionId = id;
  if (status === 'declined') return { status, transactionId, reason: reason ?? 'declined' };
  if (status !== 'requires_action') return { status, transactionId };
  return { status: 'actionRequired', transactionId, clientSecret: clientSecret ?? '' };
}

const signature = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/;

/** @throws WebhookRefused; compares in constant time */
function requireSignature(header: unknown, body: Buffer, secret: string): void {
  const [, t, given] = signature.exec(String(header)) ?? [];
  if (!t || !given) throw new WebhookRefused('the signature is missing or malformed');
  const expected = createHmac('sha256', secret).update(`${t}.`).update(body).digest();
  if (!timingSafeEqual(expected, Buffer.from(given, 'hex'))) {
    throw new WebhookRefused('the signature is invalid');
  }
  if (Math.abs(Date.now() / 1000 - Number(t)) > webhookAgeMaxSeconds) {
    throw new WebhookRefused('the timestamp of the signature is too far from now');
  }
}
