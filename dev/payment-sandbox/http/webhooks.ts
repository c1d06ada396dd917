import { createHmac } from 'node:crypto';
import { Pool } from 'undici';
import { clientKeepAlive } from '../../../subgraphs/shared/http/keep-alive.js';
import { newId } from '../../../subgraphs/shared/ids.js';
import { behaviourOf } from '../payments/methods.js';
import type { Timers } from '../payments/timers.js';
import type { Change, PaymentRecord } from '../store/records.js';
import type { SandboxStore } from '../store/store.js';

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

export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

/** The subject of an event: a payment, or a refund or a dispute with the id of its payment. */
interface EventData {
  readonly id: string;
  /** the client's id of the payment */
  readonly key: string;
  readonly status: string;
  readonly object: 'payment' | 'refund' | 'dispute';
  /** the id of the refund */
  readonly refund?: string;
  /** the client's id of the refund; null for one made at the dashboard */
  readonly refundId?: string | null;
  readonly disputeId?: string;
}

const defaults: WebhookControls = { delayMaxMs: 100, copies: 1, reorder: false, silent: false };
const attemptsMax = 5;
const retryAfterMs = 1000;
const timeoutMs = 10_000;
const connectionsMax = 32;

/** `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body", in hex>`: the scheme of Stripe. */
function signWebhook(body: string, secret: string, nowMs = Date.now()): string {
  const t = Math.floor(nowMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

/** Sends a signed event for each change, with retries until it is accepted. */
export function startWebhooks(store: SandboxStore, timers: Timers, target: WebhookTarget) {
  let controls = defaults;
  const { origin, pathname } = new URL(target.url);
  // `fetch` costs several times as much.
  const pool = new Pool(origin, {
    connections: connectionsMax,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    ...clientKeepAlive,
  });

  async function send(body: string, attempt = 1): Promise<void> {
    try {
      const response = await pool.request({
        method: 'POST',
        path: pathname,
        headers: {
          'content-type': 'application/json',
          'x-sandbox-signature': signWebhook(body, target.secret),
        },
        body,
      });
      await response.body.dump();
      if (response.statusCode === 200) return;
    } catch {
      // unreachable: retried like a refusal
    }
    if (attempt < attemptsMax) {
      timers.after(retryAfterMs * 2 ** attempt, () => void send(body, attempt + 1));
    }
  }

  function notify(data: EventData, { method }: PaymentRecord): void {
    const type = `${data.object}.${data.status.toLowerCase()}`;
    const body = JSON.stringify({ id: `evt_${newId()}`, type, data });
    const copies = Math.max(controls.copies, behaviourOf(method).webhookCopies ?? 1);
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = controls.delayMaxMs * (controls.reorder ? Math.random() : 1);
      timers.after(delayMs, () => void send(body));
    }
  }

  store.onChange(({ payment, refund, dispute }: Change) => {
    if (controls.silent) return;
    if (payment) notify({ ...subjectOf(payment, payment.status), object: 'payment' }, payment);
    const changed = refund ?? dispute;
    const owner = changed && store.payments.get(changed.paymentId);
    if (refund && owner) {
      const { status, refundId, id } = refund;
      notify({ ...subjectOf(owner, status), object: 'refund', refund: id, refundId }, owner);
    }
    if (dispute && owner) {
      const { status, id: disputeId } = dispute;
      notify({ ...subjectOf(owner, status), object: 'dispute', disputeId }, owner);
    }
  });

  return {
    control(change: Partial<WebhookControls>): WebhookControls {
      controls = { ...controls, ...change };
      return controls;
    },
    close: () => pool.destroy(),
  };
}
export type Webhooks = ReturnType<typeof startWebhooks>;

const subjectOf = ({ id, key }: PaymentRecord, status: string) => ({ id, key, status });
