import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  ListedPayment,
  PaymentRef,
} from '../../subgraphs/order/payment/provider/payment-provider.js';
import { createSandboxProvider } from '../../subgraphs/order/payment/provider/sandbox-provider.js';
import { readBody } from '../../subgraphs/shared/http/http.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { newIdAt } from '../../subgraphs/shared/ids.js';
import { freePortRange } from '../../tests/harness/databases.js';
import { eventually } from '../../tests/harness/wait.js';
import { startProgram } from '../processes.js';
import { startPaymentSandbox } from './index.js';
import type { SandboxPayment } from './store/records.js';

const secret = 'the-secret-of-this-test';
const bodyMaxBytes = 10_000;
const dayMs = 24 * 3_600_000;

const newPayment = (method = 'Credit Card'): PaymentRef => {
  const paymentId = randomUUID();
  return { paymentId, transactionId: paymentId, amount: '10.00', currencyCode: 'USD', method };
};
const refundOf = ({ transactionId, currencyCode }: PaymentRef, attempt = 0) => ({
  refundId: randomUUID(),
  attempt,
  transactionId,
  amount: '4.00',
  currencyCode,
});

/** A client of a sandbox: as the order subgraph, and as a developer. */
function clientOf(url: string) {
  const provider = createSandboxProvider(url, secret);
  return {
    provider,
    admin: async (path: string, body: object = {}) =>
      (await fetch(`${url}/admin/${path}`, { method: 'POST', body: JSON.stringify(body) })).json(),
    all: async () =>
      (await fetch(`${url}/admin/payments`)).json() as Promise<readonly SandboxPayment[]>,
    async captured(method?: string) {
      const payment = newPayment(method);
      await provider.confirm(payment);
      await provider.capture(payment);
      return payment;
    },
  };
}

describe('a payment sandbox with a file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'payment-sandbox-'));
    file = join(folder, 'payments.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const env = () => ({
    PORT: '0',
    PAYMENT_SANDBOX_FILE: file,
    PAYMENT_SANDBOX_WEBHOOK_URL: 'http://127.0.0.1:9',
    PAYMENT_SANDBOX_WEBHOOK_SECRET: secret,
  });
  async function during<T>(work: (client: ReturnType<typeof clientOf>) => Promise<T>): Promise<T> {
    const sandbox = await startPaymentSandbox(env());
    const client = clientOf(sandbox.url);
    try {
      await client.admin('webhooks', { silent: true });
      return await work(client);
    } finally {
      await client.provider.close();
      await sandbox.stop();
    }
  }

  /** A payment of each kind, and requests whose answers are stored. */
  async function makeAll({ provider, admin, captured }: ReturnType<typeof clientOf>) {
    const challenge = newPayment('Challenge Card');
    await provider.confirm(challenge);
    await provider.confirm(newPayment('Empty Account'));
    await provider.cancel(newPayment().transactionId);
    const payment = await captured('Faulty Refund');
    const [fault, refusal, refund] = [refundOf(payment), refundOf(payment), refundOf(payment)];
    const errors = [
      await provider.refund(fault).catch(String),
      await provider.refund({ ...refusal, amount: '11.00' }).catch(String),
    ];
    await provider.refund(refund);
    await admin(`payments/${payment.paymentId}/dispute`, { status: 'OPEN' });
    await admin(`payments/${payment.paymentId}/dispute`, { status: 'WON' });
    return { challenge, payment, fault, refusal, refund, errors };
  }

  /** The stored answers are replayed, and nothing is done again. */
  async function expectReplayed(
    { provider }: ReturnType<typeof clientOf>,
    made: Awaited<ReturnType<typeof makeAll>>,
  ) {
    const { payment, fault, refusal, refund, errors } = made;
    const refunds = await provider.refundsOf(payment.transactionId);
    expect(await provider.refund(fault).catch(String)).toBe(errors[0]);
    expect(await provider.refund({ ...refusal, amount: '11.00' }).catch(String)).toBe(errors[1]);
    expect(await provider.refund(refund)).toEqual(refunds[0]);
    expect(await provider.confirm(made.challenge)).toMatchObject({ status: 'actionRequired' });
    expect(await provider.refundsOf(payment.transactionId)).toEqual(refunds);
  }

  it('keeps payments, refunds, disputes and stored answers when it is restarted', async () => {
    const { made, before } = await during(async (client) => ({
      made: await makeAll(client),
      before: await client.all(),
    }));
    expect(before).toHaveLength(4);
    await during(async (client) => {
      expect(await client.all()).toEqual(before);
      await expectReplayed(client, made);
      // The first refund request of a Faulty Refund was answered before the restart.
      expect(await client.provider.refund(refundOf(made.payment))).toMatchObject({
        status: 'succeeded',
      });
    });
  });

  it('keeps them when it is killed, up to the last answer', async () => {
    const port = (await freePortRange()) + 9;
    const start = () =>
      startProgram('sandbox', { ...process.env, ...env(), NODE_OPTIONS: '', PORT: String(port) });
    const client = clientOf(`http://127.0.0.1:${port}`);
    const first = await start();
    const made = await makeAll(client);
    const before = await client.all();
    const last = newPayment();
    await client.provider.confirm(last);
    const gone = new Promise((resolve) => first.child.once('exit', resolve));
    first.child.kill('SIGKILL');
    await gone;
    const second = await start();
    expect(await client.provider.lookUp(last.transactionId)).toMatchObject({
      status: 'authorized',
    });
    expect((await client.all()).slice(0, -1)).toEqual(before);
    await expectReplayed(client, made);
    await client.provider.close();
    await second.stop();
  });

  it('skips an incomplete last line, and does not lose what it writes after it', async () => {
    const kept = await during(({ captured }) => captured());
    const lines = readFileSync(file, 'utf8');
    appendFileSync(file, lines.slice(0, 40));
    const next = newPayment();
    await during(({ provider }) => provider.confirm(next));
    await during(async ({ provider, all }) => {
      expect(await all()).toHaveLength(2);
      expect(await provider.lookUp(kept.transactionId)).toMatchObject({ status: 'captured' });
      expect(await provider.lookUp(next.transactionId)).toMatchObject({ status: 'authorized' });
    });
  });

  it('stores a refund and the answer to its request in one line', async () => {
    await during(async ({ provider, captured }) => provider.refund(refundOf(await captured())));
    const last = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) as string;
    expect(Object.keys(JSON.parse(last))).toEqual(['refund', 'answer']);
  });

  it('makes the changes that were due while it was down', async () => {
    const { bank, refunded, disputed } = await during(async ({ provider, captured }) => {
      const slow = newPayment('Slow Bank');
      await provider.confirm(slow);
      const failing = await captured('Failing Refund');
      await provider.refund(refundOf(failing));
      return { bank: slow, refunded: failing, disputed: await captured('Disputed Card') };
    });
    await during(async ({ provider }) => {
      await eventually(
        () => provider.lookUp(bank.transactionId),
        ({ status }) => status === 'authorized',
      );
      await eventually(
        () => provider.refundsOf(refunded.transactionId),
        ([refund]) => refund?.status === 'failed',
      );
      await eventually(
        () => provider.disputesOf(disputed.transactionId),
        ([dispute]) => dispute?.status === 'OPEN',
      );
    });
    await during(async ({ provider }) => {
      expect(await provider.disputesOf(disputed.transactionId)).toHaveLength(1);
    });
  });

  it('executes a key again a day after its answer', async () => {
    const { payment, refund } = await during(async ({ provider, captured }) => {
      const made = await captured();
      const sent = refundOf(made);
      await provider.refund(sent);
      return { payment: made, refund: sent };
    });
    const dayAgo = new Date(Date.now() - dayMs).toISOString();
    const outdated = readFileSync(file, 'utf8').replace(/("storedAt":")[^"]*/, `$1${dayAgo}`);
    writeFileSync(file, outdated);
    await during(async ({ provider }) => {
      await provider.refund(refund);
      expect(await provider.refundsOf(payment.transactionId)).toHaveLength(2);
    });
  });

  it('ends authorizations seven days after their creation, in lists before anything touches them', async () => {
    const [kept, lapsed] = await during(async ({ provider }) => {
      const payments = [newPayment(), newPayment()];
      for (const payment of payments) await provider.confirm(payment);
      return payments as [PaymentRef, PaymentRef];
    });
    const text = readFileSync(file, 'utf8').split('\n');
    const ageOf = (line: string) => (line.includes(kept.paymentId) ? 6.9 : 7.1) * dayMs;
    const older = text.map((line) =>
      line.replace(/("(?:cre|upd)atedAt":")[^"]*/g, (_, name) => {
        return name + new Date(Date.now() - ageOf(line)).toISOString();
      }),
    );
    writeFileSync(file, older.join('\n'));
    await during(async ({ provider, all }) => {
      const canceled = { transactionId: lapsed.paymentId, status: 'canceled', hasLapsed: true };
      const period = { from: new Date(Date.now() - 8 * dayMs), to: new Date() };
      const listed: ListedPayment[] = [];
      for await (const each of provider.listPayments(period)) listed.push(each);
      expect(listed).toMatchObject([canceled, { status: 'authorized' }]);
      expect(await provider.capture(lapsed)).toEqual(canceled);
      expect(await provider.capture(kept)).toMatchObject({ status: 'captured' });
      expect(await all()).toMatchObject([{ status: 'canceled' }, { status: 'captured' }]);
    });
  });

  it('reads the file of a former sandbox, in which payments had ids of the sandbox', async () => {
    const [id, key, refundId] = [newIdAt(Date.now()), randomUUID(), randomUUID()];
    const former = { id, key, amount: '10.00', currencyCode: 'USD', method: 'Card', reason: null };
    const refunds = [{ id: newIdAt(Date.now()), key: refundId, amount: '4.00' }];
    const lines = [
      { ...former, status: 'authorized' },
      { ...former, status: 'captured', clientSecret: null, refunds: [] },
      { ...former, status: 'captured', clientSecret: null, refunds },
      { ...former, id: newIdAt(Date.now()), status: 'voided' },
    ];
    writeFileSync(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    await during(async ({ provider, all }) => {
      expect(await all()).toMatchObject([
        { id, key, status: 'captured', refunds: [{ refundId, amount: '4.00' }] },
        { status: 'canceled' },
      ]);
      const payment = { ...newPayment(), transactionId: id };
      expect(await provider.refund({ ...refundOf(payment), amount: '6.00' })).toMatchObject({
        status: 'succeeded',
      });
      expect(await provider.refundsOf(id)).toHaveLength(2);
    });
  });
});

describe('the webhooks of the payment sandbox', () => {
  const received: { eventId: string; type: string; data: Record<string, unknown> }[] = [];
  let client: ReturnType<typeof clientOf>;
  let stop: () => Promise<unknown>;
  let refusals = 0;
  beforeAll(async () => {
    const server = createServer(async (request, response) => {
      const body = await readBody(request, bodyMaxBytes);
      const { eventId } = client.provider.parseWebhook(request.headers, body);
      response.statusCode = refusals > 0 ? 500 : 200;
      if (refusals > 0) refusals -= 1;
      else received.push({ eventId, ...JSON.parse(body.toString()) });
      response.end();
    });
    const sandbox = await startPaymentSandbox({
      PORT: '0',
      PAYMENT_SANDBOX_WEBHOOK_URL: await listen(server, '127.0.0.1', 0),
      PAYMENT_SANDBOX_WEBHOOK_SECRET: secret,
    });
    client = clientOf(sandbox.url);
    await client.admin('webhooks', { delayMaxMs: 0 });
    stop = async () => {
      await client.provider.close();
      await sandbox.stop();
      await close(server);
    };
  });
  afterAll(() => stop());

  const eventsOf = ({ paymentId }: PaymentRef) =>
    received.filter(({ data }) => data.id === paymentId);
  const eventCount = (payment: PaymentRef, count: number) =>
    eventually(
      async () => eventsOf(payment),
      ({ length }) => length === count,
    );

  it('are sent for each change of a payment, its refunds and its disputes', async () => {
    const payment = await client.captured('Pending Refund');
    const { paymentId } = payment;
    const refund = refundOf(payment);
    const { id } = await client.provider.refund(refund);
    await client.admin(`refunds/${refund.refundId}/finish`, { status: 'succeeded' });
    await client.admin(`payments/${paymentId}/dispute`, { status: 'OPEN', disputeId: 'dp_1' });
    const events = await eventCount(payment, 5);
    const about = { id: paymentId, key: paymentId };
    const { refundId } = refund;
    const expected = [
      ['payment.authorized', { ...about, status: 'authorized', object: 'payment' }],
      ['payment.captured', { ...about, status: 'captured', object: 'payment' }],
      ['refund.pending', { ...about, status: 'pending', object: 'refund', refund: id, refundId }],
      [
        'refund.succeeded',
        { ...about, status: 'succeeded', object: 'refund', refund: id, refundId },
      ],
      ['dispute.open', { ...about, status: 'OPEN', object: 'dispute', disputeId: 'dp_1' }],
    ];
    // They may overtake one another.
    const byType = (a: unknown[], b: unknown[]) => String(a[0]).localeCompare(String(b[0]));
    expect(events.map(({ type, data }) => [type, data]).toSorted(byType)).toEqual(
      expected.toSorted(byType),
    );
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(5);
  });

  it('are sent three times by a Chatty Card, under one id', async () => {
    const payment = newPayment('Chatty Card');
    await client.provider.confirm(payment);
    const events = await eventCount(payment, 3);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(1);
  });

  it('are sent again until they are accepted, and not at all while they are silenced', async () => {
    refusals = 1;
    const payment = newPayment();
    await client.provider.confirm(payment);
    await eventCount(payment, 1);
    await client.admin('webhooks', { silent: true });
    await client.provider.capture(payment);
    await client.admin('webhooks', { silent: false });
    const next = newPayment();
    await client.provider.confirm(next);
    await eventCount(next, 1);
    expect(eventsOf(payment)).toHaveLength(1);
  });
});
