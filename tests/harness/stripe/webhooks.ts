import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

export interface StripeEvent {
  readonly id: string;
  readonly object: 'event';
  readonly type: string;
  /** s since the Unix epoch, by the clock of the double */
  readonly created: number;
  readonly livemode: false;
  readonly data: { readonly object: object };
}

export interface WebhookSettings {
  /** where events are posted to; null posts none */
  url: string | null;
  secret: string;
  /** events occur, but are not posted until `resend` */
  isSilent: boolean;
  /** how often each event is posted */
  copies: number;
  delayMs: number;
}

export interface Webhooks {
  readonly settings: WebhookSettings;
  /** all that occurred, also those that were not posted */
  readonly events: StripeEvent[];
  /** each post, with the status of its response; null if there was none */
  readonly deliveries: { readonly eventId: string; readonly status: number | null }[];
  /** Records an event and posts it, in the background. */
  emit(type: string, object: object): void;
  /** Posts events again: those given, or all that were never accepted with a 2xx. */
  resend(events?: readonly StripeEvent[]): Promise<void>;
  /** Resolves once no post is under way. */
  whenSent(): Promise<void>;
}

/** The `stripe-signature` header of a body. @param t s since the Unix epoch */
export function signatureOf(body: string, secret: string, t = Math.floor(Date.now() / 1000)) {
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

export function createWebhooks(seconds: () => number): Webhooks {
  const settings: WebhookSettings = {
    url: null,
    secret: 'whsec_of_the_double',
    isSilent: false,
    copies: 1,
    delayMs: 0,
  };
  const events: StripeEvent[] = [];
  const deliveries: { eventId: string; status: number | null }[] = [];
  const sending = new Set<Promise<void>>();

  async function send(event: StripeEvent): Promise<void> {
    const { url, secret, delayMs } = settings;
    if (!url) return;
    if (delayMs > 0) await delay(delayMs);
    const body = JSON.stringify(event);
    // The receiver measures the age of a signature by the real time.
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': signatureOf(body, secret),
    };
    const status = await fetch(url, { method: 'POST', headers, body }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => null,
    );
    deliveries.push({ eventId: event.id, status });
  }

  function post(event: StripeEvent): void {
    const sent = send(event).finally(() => sending.delete(sent));
    sending.add(sent);
  }

  async function whenSent(): Promise<void> {
    while (sending.size > 0) await Promise.all(sending);
  }

  const isAccepted = ({ id }: StripeEvent) =>
    deliveries.some(({ eventId, status }) => eventId === id && status !== null && status < 300);

  return {
    settings,
    events,
    deliveries,
    emit(type, object) {
      const event: StripeEvent = {
        id: `evt_${randomUUID().replaceAll('-', '')}`,
        object: 'event',
        type,
        created: seconds(),
        livemode: false,
        data: { object },
      };
      events.push(event);
      if (settings.isSilent) return;
      for (let copy = 0; copy < settings.copies; copy++) post(event);
    },
    async resend(given) {
      await whenSent();
      for (const event of given ?? events.filter((each) => !isAccepted(each))) post(event);
      await whenSent();
    },
    whenSent,
  };
}
