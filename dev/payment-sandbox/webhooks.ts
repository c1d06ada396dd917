import { createHmac } from 'node:crypto';
import { newId } from '../../subgraphs/shared/ids.js';
import { behaviourOf } from './methods.js';
import type { SandboxPayment } from './sandbox-payments.js';

/** How webhooks are sent. Tests delay, reorder and duplicate them. */
export interface WebhookControls {
  /** the delay of each webhook; with `reorder`, its maximum */
  readonly delayMaxMs: number;
  /** the number of copies of each webhook */
  readonly copies: number;
  /** whether each webhook has a random delay up to `delayMaxMs`, so that they overtake one another */
  readonly reorder: boolean;
  /** whether no webhook is sent */
  readonly silent: boolean;
}

const defaults: WebhookControls = { delayMaxMs: 100, copies: 1, reorder: false, silent: false };
const attemptsMax = 5;
const retryAfterMs = 1000;
const timeoutMs = 10_000;

/** `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body", in hex>`: the scheme of Stripe. */
function signWebhook(body: string, secret: string, nowMs = Date.now()): string {
  const t = Math.floor(nowMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

/** Sends signed events about payments, with retries until they are accepted. */
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
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // unreachable: retried like a refusal
    }
    if (attempt < attemptsMax)
      later(retryAfterMs * 2 ** attempt, () => void send(body, attempt + 1));
  }

  return {
    notify(payment: SandboxPayment, type: string): void {
      if (controls.silent) return;
      const data = { id: payment.id, key: payment.key, status: payment.status };
      const body = JSON.stringify({ id: `evt_${newId()}`, type, data });
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
