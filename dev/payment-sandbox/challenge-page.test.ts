import { randomUUID } from 'node:crypto';
import type {
  PaymentProvider,
  PaymentRef,
} from '../../subgraphs/order/payment/provider/payment-provider.js';
import { createSandboxProvider } from '../../subgraphs/order/payment/provider/sandbox-provider.js';
import type { Service } from '../../subgraphs/shared/runtime/process.js';
import { startPaymentSandbox } from './index.js';

const webhookSecret = 'the-secret-of-this-test';

describe('the challenge page of the payment sandbox', () => {
  let sandbox: Service;
  let provider: PaymentProvider;
  beforeAll(async () => {
    sandbox = await startPaymentSandbox({
      PORT: '0',
      PAYMENT_SANDBOX_WEBHOOK_URL: 'http://127.0.0.1:9',
      PAYMENT_SANDBOX_WEBHOOK_SECRET: webhookSecret,
    });
    provider = createSandboxProvider(sandbox.url, webhookSecret);
  });
  afterAll(async () => {
    await provider.close();
    await sandbox.stop();
  });

  async function pay(method = 'Challenge Card') {
    const paymentId = randomUUID();
    const payment: PaymentRef = {
      ...{ paymentId, transactionId: paymentId, method },
      ...{ amount: '89.90', currencyCode: 'USD' },
    };
    const { clientSecret = '' } = await provider.confirm(payment);
    return { id: paymentId, secret: clientSecret };
  }
  const statusOf = async (id: string) => (await provider.lookUp(id)).status;
  const addressOf = (id: string) => `${sandbox.url}/challenge/${id}`;
  async function read(response: Response) {
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, title: titleOf(text) };
  }
  const titleOf = (page: string) => /<h1>(.*)<\/h1>/.exec(page)?.[1];
  const open = async (id: string, secret: string) =>
    read(await fetch(`${addressOf(id)}?${new URLSearchParams({ secret })}`));
  const send = async (id: string, fields: Record<string, string>) =>
    read(await fetch(addressOf(id), { method: 'POST', body: new URLSearchParams(fields) }));
  /** The fields of a page's form with one of its buttons, as a browser sends them. */
  function fieldsOf(page: string, button: string): Record<string, string> {
    const hidden = /<input type="hidden" name="(\w+)" value="([^"]*)">/.exec(page) ?? [];
    const named = new RegExp(`<button name="(\\w+)" value="(\\w+)">${button}</button>`).exec(page);
    return { [hidden[1] ?? '']: hidden[2] ?? '', [named?.[1] ?? '']: named?.[2] ?? '' };
  }

  it.each([
    ['Approve', 'authorized', 'Payment approved.'],
    ['Refuse', 'declined', 'Payment refused.'],
  ])('lets the customer press %s: the payment is %s', async (button, status, title) => {
    const { id, secret } = await pay();
    const asked = await open(id, secret);
    expect(asked).toMatchObject({ status: 200, title: 'Approve this payment?' });
    expect(asked.text).toContain('<dd>89.90 USD</dd>');
    expect(asked.text).toContain('<dd>Challenge Card</dd>');
    expect(asked.text).toContain(`<form method="post" action="/challenge/${id}">`);
    expect(await statusOf(id)).toBe('actionRequired');

    const answered = await send(id, fieldsOf(asked.text, button));
    expect(answered).toMatchObject({ status: 200, title });
    expect(answered.text).toContain('Close this page and return to the store.');
    expect(await statusOf(id)).toBe(status);

    for (const again of [await open(id, secret), await send(id, { secret, outcome: 'approve' })]) {
      expect(again).toMatchObject({ status: 409, title: 'This payment is already decided.' });
      expect(again.text).toContain(status === 'declined' ? 'It was refused.' : 'It was approved.');
    }
    expect(await statusOf(id)).toBe(status);
  });

  it('says that a payment was canceled meanwhile', async () => {
    const { id, secret } = await pay();
    await provider.cancel(id);
    const page = await open(id, secret);
    expect(page.status).toBe(409);
    expect(page.text).toContain('It was canceled.');
  });

  it('is shown to nobody without the secret, and changes nothing then', async () => {
    const { id, secret } = await pay();
    const { secret: ofAnother } = await pay();
    for (const guessed of ['', 'guessed', ofAnother]) {
      const pages = [
        await open(id, guessed),
        await send(id, { secret: guessed, outcome: 'approve' }),
      ];
      for (const page of pages) {
        expect(page).toMatchObject({
          status: 403,
          title: 'This link is not valid for this payment.',
        });
        expect(page.text).not.toContain('89.90');
        expect(page.text).not.toContain(secret);
      }
    }
    expect((await read(await fetch(addressOf(id)))).status).toBe(403);
    expect(await statusOf(id)).toBe('actionRequired');
  });

  it('is not there for payments that do not exist or never wait for the customer', async () => {
    expect(await open(randomUUID(), 'any')).toMatchObject({
      status: 404,
      title: 'There is no such payment.',
    });
    const { id } = await pay('Slow Bank');
    expect((await send(id, { outcome: 'approve' })).status).toBe(403);
    const act = { method: 'POST', body: JSON.stringify({ clientSecret: null }) };
    expect((await fetch(`${sandbox.url}/v1/payments/${id}/act`, act)).status).toBe(403);
    expect(await statusOf(id)).toBe('pending');
  });

  it('accepts only a small form with one of the two outcomes', async () => {
    const { id, secret } = await pay();
    const json = { method: 'POST', body: JSON.stringify({ secret, outcome: 'approve' }) };
    expect((await fetch(addressOf(id), json)).status).toBe(415);
    expect((await fetch(addressOf(id), { method: 'DELETE' })).status).toBe(405);
    expect((await send(id, { secret })).status).toBe(400);
    expect((await send(id, { secret, outcome: 'maybe' })).status).toBe(400);
    const large = { secret, outcome: 'approve', more: 'x'.repeat(1000) };
    expect((await send(id, large)).status).toBe(413);
    expect(await statusOf(id)).toBe('actionRequired');
  });

  it('has no scripts, escapes its values, and keeps its address to itself', async () => {
    const { id, secret } = await pay();
    const asked = await open(id, secret);
    const unknown = await read(await fetch(`${sandbox.url}/challenge/%3Cb%3E"><b>?secret=<b>`));
    expect(unknown.status).toBe(404);
    for (const { text, headers } of [asked, unknown]) {
      expect(text).not.toMatch(/<script|<b>/);
      expect(text).toContain('<html lang="en">');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    const policy = (action: string) =>
      new RegExp(
        `^default-src 'none'; style-src 'sha256-[^']+'; form-action '${action}'; base-uri 'none'; frame-ancestors 'none'$`,
      );
    expect(asked.headers.get('content-security-policy')).toMatch(policy('self'));
    expect(unknown.headers.get('content-security-policy')).toMatch(policy('none'));
  });
});
