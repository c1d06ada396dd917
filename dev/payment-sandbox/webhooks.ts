import { createHmac } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { behaviourOf } from './methods.js';
import type { SandboxPayment } from './sandbox-payments.js';

/** How webhooks are sent; a test makes them late, out of order, or sends them more than once. */
export interface WebhookControls {
  /** each is sent within this time */
  readonly delayMaxMs: number;
  /** each is sent so often */
  readonly copies: number;
  /** each after a random part of `delayMaxMs`, whatever happened first */
  readonly reorder: boolean;
  /** none is sent */
  readonly silent: boolean;
}

const defaults: WebhookControls = { delayMaxMs: 100, copies: 1, reorder: false, silent: false };
const attemptsMax = 5;
const retryAfterMs = 1000;
const answerMaxMs = 10_000;

/** `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body", in hex>`: as Stripe signs. */
export function signWebhook(body: string, secret: string, nowMs = Date.now()): string {
  const t = Math.floor(nowMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

/** Sends signed events about payments, again while they are not taken. */
export function createWebhooks(url: string, secret: string) {
  let controls = defaults;
  let stopped = false;
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, work: () => void) => {
    if (stopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };

  async function send(body: string, attempt = 1): Promise<void> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-sandbox-signature': signWebhook(body, secret),
        },
        body,
        signal: AbortSignal.timeout(answerMaxMs),
      });
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // nobody is there; tried again like a refusal
    }
    if (attempt < attemptsMax)
      later(retryAfterMs * 2 ** attempt, () => void send(body, attempt + 1));
  }

  return {
    tell(payment: SandboxPayment, type: string): void {
      if (controls.silent) return;
      const data = { id: payment.id, key: payment.key, status: payment.status };
      const body = JSON.stringify({ id: `evt_${uuidv7()}`, type, data });
      const copies = Math.max(controls.copies, behaviourOf(payment.method).webhookCopies ?? 1);
      for (let copy = 0; copy < copies; copy++) {
        const delayMs = controls.delayMaxMs * (controls.reorder ? Math.random() : 1);
        later(delayMs, () => void send(body));
      }
    },
    control(change: Partial<WebhookControls>): WebhookControls {
      controls = { ...controls, ...change };
      return controls;
    },
    stop(): void {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
