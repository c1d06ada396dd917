import { createHmac, randomUUID } from 'node:crypto';
import pg from 'pg';
import type { SandboxPayment } from '../../dev/payment-sandbox/sandbox-payments.js';
import type { WebhookControls } from '../../dev/payment-sandbox/webhooks.js';
import type { TestSystem } from './system.js';

/** Access to payments for tests: the records of the sandbox, and the rows of the order subgraph. */
export async function openPayments({ ports, databases }: Pick<TestSystem, 'ports' | 'databases'>) {
  const sandboxUrl = `http://127.0.0.1:${ports.sandbox}`;
  const order = new pg.Client({ connectionString: databases.order });
  await order.connect();
  const post = async (path: string, body: object) => {
    const response = await fetch(sandboxUrl + path, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const sandboxPayments = async (): Promise<SandboxPayment[]> =>
    (await fetch(`${sandboxUrl}/admin/payments`)).json() as Promise<SandboxPayment[]>;

  return {
    order,
    post,
    sandboxPayments,
    /** the sandbox's record of a payment */
    async sandboxPaymentOf(paymentId: string): Promise<SandboxPayment | undefined> {
      return (await sandboxPayments()).find(({ key }) => key === paymentId);
    },
    control: (controls: Partial<WebhookControls>) => post('/admin/webhooks', controls),
    /** The customer approves or refuses a payment that waits for them. */
    async act(paymentId: string, outcome: 'approve' | 'refuse') {
      const payment = (await sandboxPayments()).find(({ key }) => key === paymentId);
      return post(`/v1/payments/${payment?.id}/act`, {
        clientSecret: payment?.clientSecret,
        outcome,
      });
    },
    async orderRow(id: string) {
      const columns = 'id, status, cancel_reason';
      const { rows } = await order.query(`select ${columns} from customer_order where id = $1`, [
        id,
      ]);
      return rows[0];
    },
    async paymentsOf(orderId: string) {
      const { rows } = await order.query(
        `select id, status, decline_reason from payment
         where order_id = $1 order by id`,
        [orderId],
      );
      return rows;
    },
    async refundsOf(orderId: string) {
      const { rows } = await order.query(
        `select r.status, r.amount from refund r join payment p on p.id = r.payment_id
         where p.order_id = $1 order by r.id`,
        [orderId],
      );
      return rows;
    },
    close: () => order.end(),
  };
}
export type TestPayments = Awaited<ReturnType<typeof openPayments>>;

export interface WebhookOf {
  readonly eventId?: string;
  readonly paymentId?: string;
  readonly transactionId?: string;
  readonly secret?: string;
  /** how long ago it was signed */
  readonly ageSeconds?: number;
  readonly signature?: string;
}

/** Sends the router a webhook as the sandbox does, or as an attacker would. */
export async function sendWebhook(system: TestSystem, webhook: WebhookOf = {}) {
  const { eventId = `evt_${randomUUID()}`, paymentId = randomUUID() } = webhook;
  const { transactionId = randomUUID(), ageSeconds = 0 } = webhook;
  const secret = webhook.secret ?? system.secrets.webhookSecret;
  const data = { id: transactionId, key: paymentId, status: 'captured' };
  const body = JSON.stringify({ id: eventId, type: 'payment.captured', data });
  const t = Math.floor(Date.now() / 1000) - ageSeconds;
  const hmac = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
  return postWebhook(system, body, webhook.signature ?? `t=${t},v1=${hmac}`);
}

export async function postWebhook(system: TestSystem, body: string, signature?: string) {
  const url = system.url.replace('/graphql', '/webhooks/payments/sandbox');
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signature && { 'x-sandbox-signature': signature }),
    },
    body,
  });
  return { status: response.status, body: await response.json() };
}
