import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { type ProviderEvent, WebhookRefused, webhookAgeMaxSeconds } from './payment-provider.js';
import { statuses } from './sandbox-objects.js';

const refundStatuses = ['pending', 'succeeded', 'failed'] as const;

/** @throws WebhookRefused unless the sandbox signed it within `webhookAgeMaxSeconds` */
export function parseWebhook(
  headers: IncomingHttpHeaders,
  body: Buffer,
  secret: string,
): ProviderEvent {
  requireSignature(headers['x-sandbox-signature'], body, secret);
  const { id: eventId, data } = readEvent(body);
  const status = data.object === 'payment' ? (statuses.get(data.status) ?? null) : null;
  const about = { eventId, paymentId: data.key, transactionId: data.id, status };
  const refundStatus = refundStatuses.find((each) => each === data.status);
  if (data.object !== 'refund' || !data.refund || !refundStatus) return about;
  return { ...about, refund: { id: data.refund, status: refundStatus } };
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
  data: z.object({
    id: z.string(),
    key: z.string(),
    status: z.string(),
    object: z.string().default('payment'),
    refund: z.string().optional(),
  }),
});

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
