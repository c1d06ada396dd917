import { createHmac, randomUUID } from 'node:crypto';
import pg from 'pg';
import type { FaultInput } from '../../dev/payment-sandbox/http/controls.js';
import type { WebhookControls } from '../../dev/payment-sandbox/http/webhooks.js';
import type { DisputeInput } from '../../dev/payment-sandbox/payments/disputes.js';
import type { DisputeStatus, SandboxPayment } from '../../dev/payment-sandbox/store/records.js';
import type { TestSystem } from './system.js';

/** What one can do to a payment at the dashboard of the provider. */
export type DashboardAction = 'refund' | 'cancel' | 'capture' | 'lapse' | 'dispute';

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

  const sandboxPaymentOf = async (paymentId: string): Promise<SandboxPayment | undefined> => {
    const response = await fetch(`${sandboxUrl}/admin/payments/${paymentId}`);
    const payment = (await response.json()) as SandboxPayment;
    return response.status === 200 ? payment : undefined;
  };

  return {
    order,
    post,
    sandboxPayments,
    /** the sandbox's record of a payment */
    sandboxPaymentOf,
    control: (controls: Partial<WebhookControls>) => post('/admin/webhooks', controls),
    /** The customer approves or refuses a payment that waits for them. */
    async act(paymentId: string, outcome: 'approve' | 'refuse') {
      const clientSecret = (await sandboxPaymentOf(paymentId))?.clientSecret;
      return post(`/v1/payments/${paymentId}/act`, { clientSecret, outcome });
    },
    /** An action at the provider’s dashboard; `body` of a refund: `{ amount }`. */
    dashboard: (paymentId: string, action: DashboardAction, body: object = {}) =>
      post(`/admin/payments/${paymentId}/${action}`, body),
    /** A refund that is pending ends, or one that succeeded fails. @param refundId ours, or the sandbox’s */
    finishRefund: (refundId: string, status: 'succeeded' | 'failed', reason?: string) =>
      post(`/admin/refunds/${refundId}/finish`, { status, reason }),
    /** Opens a dispute, or changes the undecided one of the payment. */
    dispute: (paymentId: string, status: DisputeStatus, more: Omit<DisputeInput, 'status'> = {}) =>
      post(`/admin/payments/${paymentId}/dispute`, { status, ...more }),
    /**
     * The next requests for an operation fail.
     *
     * @param times 0 for none
     * @param isExecuted whether a request that is answered 500 or 400 is executed all the same
     */
    fault: (
      operation: FaultInput['operation'],
      fault: FaultInput['fault'],
      times: number,
      isExecuted = false,
    ) => post('/admin/faults', { operation, fault, times, isExecuted }),
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
        `select r.id, r.status, r.amount, r.failure_reason, r.origin
         from refund r join payment p on p.id = r.payment_id
         where p.order_id = $1 order by r.id`,
        [orderId],
      );
      return rows;
    },
    async disputesOf(orderId: string) {
      const { rows } = await order.query(
        `select d.id, d.payment_id, d.provider_dispute_id, d.status, d.amount, d.reason,
           d.evidence_due_at, d.funds_withdrawn, d.funds_reinstated
         from dispute d join payment p on p.id = d.payment_id
         where p.order_id = $1 order by d.id`,
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
  readonly status?: string;
  /** what it is about; without it the event does not say so, and is about a payment */
  readonly object?: 'payment' | 'refund' | 'dispute';
}

/** Sends the router a webhook as the sandbox does, or as an attacker would. */
export async function sendWebhook(
  system: Pick<TestSystem, 'url' | 'secrets'>,
  webhook: WebhookOf = {},
  headers: Record<string, string> = {},
) {
  const { eventId = `evt_${randomUUID()}`, paymentId = randomUUID() } = webhook;
  const { transactionId = randomUUID(), ageSeconds = 0 } = webhook;
  const secret = webhook.secret ?? system.secrets.webhookSecret;
  const { status = 'captured', object } = webhook;
  const data = { id: transactionId, key: paymentId, status, object };
  const type = `${object ?? 'payment'}.${status}`;
  const body = JSON.stringify({ id: eventId, type, data });
  const t = Math.floor(Date.now() / 1000) - ageSeconds;
  const hmac = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
  return postWebhook(system, body, webhook.signature ?? `t=${t},v1=${hmac}`, headers);
}

export async function postWebhook(
  system: Pick<TestSystem, 'url'>,
  body: string,
  signature?: string,
  headers: Record<string, string> = {},
) {
  const url = system.url.replace('/graphql', '/webhooks/payments/sandbox');
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signature && { 'x-sandbox-signature': signature }),
      ...headers,
    },
    body,
  });
  return { status: response.status, body: await response.json() };
}
