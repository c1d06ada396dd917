import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError, readBody } from '../../../subgraphs/shared/http/http.js';
import { type Html, html } from '../../pages/html.js';
import { type Page, sendPage } from '../../pages/page.js';
import { actAsCustomer, paymentOfCustomer } from '../payments/customer.js';
import type { PaymentRecord, PaymentStatus } from '../store/records.js';
import type { SandboxStore } from '../store/store.js';

const formMaxBytes = 1000;

const outcomes = { approve: 'Payment approved.', refuse: 'Payment refused.' } as const;
const isOutcome = (value: string): value is keyof typeof outcomes => Object.hasOwn(outcomes, value);

const statusTexts: Readonly<Partial<Record<PaymentStatus, string>>> = {
  authorized: 'It was approved.',
  captured: 'It was approved.',
  declined: 'It was refused.',
  canceled: 'It was canceled.',
};

const backToStore = html`<p>Close this page and return to the store.</p>`;
const titledPage = (status: number, title: string, body: Html): Page => ({ status, title, body });

/**
 * The page on which the customer approves or refuses a payment by `Challenge Card`, as at a bank: it is opened
 * as a link, `/challenge/<payment id>?secret=<clientSecret>`. The form is sent to the same path.
 */
export function createChallenge(store: SandboxStore) {
  function ask(id: string, secret: string): Page {
    const payment = paymentOfCustomer(store, id, secret);
    if (payment.status !== 'requires_action') return decidedPage(payment);
    return { status: 200, title: 'Approve this payment?', body: form(payment), hasForm: true };
  }

  function decide(id: string, answer: URLSearchParams): Page {
    const [clientSecret, outcome] = [answer.get('secret') ?? '', answer.get('outcome') ?? ''];
    const payment = paymentOfCustomer(store, id, clientSecret);
    if (payment.status !== 'requires_action') return decidedPage(payment);
    if (!isOutcome(outcome)) throw new HttpError(400, 'The outcome is approve or refuse.');
    actAsCustomer(store, id, { clientSecret, outcome });
    return titledPage(200, outcomes[outcome], backToStore);
  }

  async function answer(request: IncomingMessage, id: string, search: string): Promise<Page> {
    if (request.method === 'GET') return ask(id, new URLSearchParams(search).get('secret') ?? '');
    if (request.method !== 'POST') throw new HttpError(405, 'Only GET and POST are allowed.');
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/x-www-form-urlencoded') throw new HttpError(415, 'Send a form.');
    const body = await readBody(request, formMaxBytes);
    return decide(id, new URLSearchParams(body.toString()));
  }

  return async (
    request: IncomingMessage,
    response: ServerResponse,
    { id, search }: { readonly id: string; readonly search: string },
  ): Promise<void> => sendPage(response, await answer(request, id, search).catch(errorPage));
}

function form({ id, amount, currencyCode, method, clientSecret }: PaymentRecord): Html {
  return html`
<p>This is the payment sandbox of Holdfast, in place of the customer’s bank. No money is moved.</p>
<dl>
<dt>Amount</dt><dd>${amount} ${currencyCode}</dd>
<dt>Payment method</dt><dd>${method}</dd>
</dl>
<form method="post" action="/challenge/${id}">
<input type="hidden" name="secret" value="${clientSecret ?? ''}">
<button name="outcome" value="approve">Approve</button>
<button name="outcome" value="refuse">Refuse</button>
</form>`;
}

const decidedPage = ({ status }: PaymentRecord): Page =>
  titledPage(
    409,
    'This payment is already decided.',
    html`<p>${statusTexts[status] ?? ''} Nothing was changed.</p>${backToStore}`,
  );

const errorTitles: Readonly<Record<number, string>> = {
  403: 'This link is not valid for this payment.',
  404: 'There is no such payment.',
};

function errorPage(error: Error): Page {
  const status = error instanceof HttpError ? error.status : 500;
  const hint = html`<p>Open the link in the store again.</p>`;
  const title = errorTitles[status];
  if (title) return titledPage(status, title, hint);
  return titledPage(status, 'The answer was not accepted.', html`<p>${error.message}</p>${hint}`);
}
