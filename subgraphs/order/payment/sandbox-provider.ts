import { Pool } from 'undici';
import type { AuthorizeAnswer, PaymentProvider } from './payment-provider.js';

const timeoutMs = 5000;
const connectionsMax = 32;

interface SandboxPayment {
  id: string;
  status: 'authorized' | 'declined' | 'captured' | 'voided';
  reason: string | null;
}

/** The provider of `dev/payment-sandbox`, over HTTP. */
export function createSandboxProvider(url: string): PaymentProvider {
  const pool = new Pool(new URL(url).origin, { connections: connectionsMax });

  async function post(path: string, body: object): Promise<SandboxPayment> {
    const response = await pool.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const reply = (await response.body.json()) as SandboxPayment & { error?: string };
    if (response.statusCode !== 200) throw new Error(`the payment sandbox says: ${reply.error}`);
    return reply;
  }

  return {
    name: 'sandbox',
    async authorize({ paymentId, amount, currencyCode, method }): Promise<AuthorizeAnswer> {
      const request = { idempotencyKey: paymentId, amount, currencyCode, method };
      const { id, status, reason } = await post('/v1/payments', request);
      if (status !== 'declined') return { status: 'authorized', transactionId: id };
      return { status: 'declined', transactionId: id, reason: reason ?? 'declined' };
    },
    async capture(transactionId) {
      await post(`/v1/payments/${transactionId}/capture`, {});
    },
    async void(transactionId) {
      await post(`/v1/payments/${transactionId}/void`, {});
    },
    close: () => pool.close(),
  };
}
