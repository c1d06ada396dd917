import pg from 'pg';
import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { connect, disconnect } from '../../../shared/database/connect.js';
import { prunablesOf, prune } from '../../../shared/database/prune.js';
import { newIdAt } from '../../../shared/ids.js';
import { createLogger } from '../../../shared/observability/logger.js';
import { reconciliationGauges } from '../../metrics.js';
import { databaseSchema } from '../../mikro-orm.config.js';
import { onPaymentsDue } from '../../order/payment-signals.js';
import type { PaymentApp } from '../payment-app.js';
import {
  type ListedPayment,
  type PaymentProvider,
  type Period,
  PermanentRefusal,
  type ProviderDispute,
  type ProviderRefund,
  type ProviderStatus,
  RateLimited,
  type SendPage,
  sendAtOnce,
} from '../provider/payment-provider.js';
import { paymentProviders } from '../provider/providers.js';
import { recoverPayments } from '../recover-payments.js';
import { storeTransactionsSql } from '../state/provider-transaction.js';
import { reconcileDay } from './reconcile-day.js';
import { reconcilePayments } from './reconcile-payments.js';
import { Reconciliation } from './reconciliation.js';
import type { ReconciliationApp } from './resolve-differences.js';
import { addDays, periodOf, utcDayOf } from './utc-day.js';

const hourMs = 3_600_000;
const day = '2026-03-10';
const noonOf = (of: string) => new Date(periodOf(of).from.getTime() + 12 * hourMs);

/** A provider in memory: what it has can be listed, looked up and canceled. */
function createFakeProvider() {
  type Created<T> = T & { readonly createdAt: Date };
  const payments: Created<ListedPayment>[] = [];
  const refunds: Created<ProviderRefund>[] = [];
  const disputes: Created<ProviderDispute>[] = [];
  const calls: string[] = [];
  /** called before a call is answered */
  const hooks: { before?: (call: string) => unknown } = {};
  const settings = { pageSize: 100 };
  const call = async (name: string, subject: string) => {
    calls.push(`${name} ${subject}`);
    await hooks.before?.(`${name} ${subject}`);
  };
  async function* list<T>(
    name: string,
    all: readonly Created<T>[],
    { from, to }: Period,
    sendPage: SendPage = sendAtOnce,
  ) {
    const left = all.filter(({ createdAt }) => createdAt >= from && createdAt < to);
    do {
      await sendPage(() => call(name, utcDayOf(from)));
      yield* left.splice(0, settings.pageSize);
    } while (left.length > 0);
  }
  const ofTransaction = async <T extends { transactionId: string }>(
    name: string,
    all: readonly T[],
    id: string,
  ) => {
    await call(name, id);
    return all.filter(({ transactionId }) => transactionId === id);
  };
  const find = (id: string) => {
    const found = payments.find(({ transactionId }) => transactionId === id);
    if (!found) throw new PermanentRefusal(`no such payment: ${id}`);
    return found;
  };
  const provider: Partial<PaymentProvider> = {
    name: 'fake',
    timeLimitMs: 1000,
    listPayments: (...args) => list('listPayments', payments, ...args),
    listRefunds: (...args) => list('listRefunds', refunds, ...args),
    listDisputes: (...args) => list('listDisputes', disputes, ...args),
    async lookUp(id) {
      await call('lookUp', id);
      return find(id);
    },
    async cancel(id) {
      await call('cancel', id);
      const payment = find(id) as { status: ProviderStatus };
      if (payment.status !== 'captured') payment.status = 'canceled';
      return find(id);
    },
    refundsOf: (id) => ofTransaction('refundsOf', refunds, id),
    disputesOf: (id) => ofTransaction('disputesOf', disputes, id),
  };
  const canceled = () => calls.filter((each) => each.startsWith('cancel'));
  return {
    provider: provider as PaymentProvider,
    ...{ payments, refunds, disputes, calls, hooks, settings, canceled },
  };
}
/** The app of the workers, whose only provider is the fake. */
const ofAll = () =>
  ({ ...app, providers: paymentProviders(fake.provider) }) as unknown as PaymentApp;
type Fake = ReturnType<typeof createFakeProvider>;

let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
let client: pg.Client;
let orm: Awaited<ReturnType<typeof connect>>;
let fake: Fake;
let app: ReconciliationApp;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  databases = await createTestDatabases(['order']);
  client = new pg.Client({ connectionString: databases.urls.order });
  await client.connect();
  orm = await newOrm();
});
beforeEach(async () => {
  for (const table of ['refund', 'dispute', 'payment', 'reconciliation']) {
    await client.query(`delete from ${table}`);
  }
  fake = createFakeProvider();
  lines = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger('test', 'info', { destination });
  app = { orm, provider: fake.provider, logger };
});
afterAll(async () => {
  await Promise.all([client.end(), disconnect(orm)]);
  await databases.drop();
});

const newOrm = () =>
  connect({ name: 'test', url: databases.urls.order, poolMax: 4 }, databaseSchema);

interface PaymentFixture {
  readonly here?: string;
  readonly there?: ProviderStatus | null;
  readonly createdAt?: Date;
  readonly createdThereAt?: Date;
  readonly transactionId?: string | null;
  readonly listed?: Partial<ListedPayment>;
}

/** A payment of 10.00 USD here, settled long ago, and the one at the provider, if `there` has its state. */
async function newPayment(fixture: PaymentFixture = {}) {
  const { here = 'COMPLETED', there = 'captured', createdAt = noonOf(day) } = fixture;
  const paymentId = newIdAt(createdAt.getTime());
  const { transactionId = `tx-${paymentId}`, createdThereAt = createdAt } = fixture;
  await client.query(
    `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number)
     values ($1, $1, 10, 'USD', '{}', nextval('order_number'))`,
    [paymentId],
  );
  await client.query(
    `with inserted as (
       insert into payment (id, order_id, customer_id, amount, status, failure, provider,
         provider_transaction_id, created_at, updated_at)
       values ($1, $1, $1, 10, $2, case when $2 = 'FAILED' then 'DECLINED' end, 'fake', $3, $4, $4)
       returning *
     ) ${storeTransactionsSql('inserted')}`,
    [paymentId, here, transactionId, createdAt],
  );
  if (there) {
    listPayment({
      ...{ paymentId, transactionId: `tx-${paymentId}`, status: there, createdAt: createdThereAt },
      ...fixture.listed,
    });
  }
  return { paymentId, transactionId: transactionId ?? '' };
}

function listPayment(payment: Partial<Fake['payments'][number]>) {
  const transactionId = `tx-${newIdAt(Date.now())}`;
  const defaults = { paymentId: null, amount: '10.00', currencyCode: 'USD' };
  const listed = { transactionId, ...defaults, createdAt: noonOf(day), ...payment };
  fake.payments.push(listed as Fake['payments'][number]);
  return listed;
}

interface PartFixture {
  readonly here?: string | null;
  readonly there?: string | null;
  readonly providerId?: string | null;
  readonly createdThereAt?: Date;
  readonly listed?: object;
}

/** A refund of 4.00 USD here, if `here` has its status, and at the provider, if `there` has it. */
async function newRefund(
  { paymentId, transactionId }: { paymentId: string; transactionId: string },
  { here = 'COMPLETED', there = 'succeeded', ...fixture }: PartFixture = {},
) {
  const at = noonOf(day);
  const refundId = newIdAt(at.getTime());
  const { providerId = `re-${refundId}`, createdThereAt: createdAt = at } = fixture;
  if (here) {
    await client.query(
      `insert into refund (customer_id, id, payment_id, amount, reason, status, failure_reason,
         origin, provider_refund_id, next_attempt_at, created_at, updated_at)
       values ($2, $1, $2, 4, 'test', $3, case when $3 = 'FAILED' then 'test' end, 'DASHBOARD', $4,
         now() + interval '1 h', $5, $5)`,
      [refundId, paymentId, here, providerId, at],
    );
  }
  if (there) {
    const id = `re-${refundId}`;
    const money = { amount: '4.00', currencyCode: 'USD' };
    const refund = { id, refundId, transactionId, status: there, ...money, createdAt };
    fake.refunds.push({ ...refund, ...fixture.listed } as Fake['refunds'][number]);
  }
  return { refundId, providerRefundId: `re-${refundId}` };
}

/** A dispute of 10.00 USD here, if `here` has its status, and at the provider, if `there` has it. */
async function newDispute(
  { paymentId, transactionId }: { paymentId: string; transactionId: string },
  { here = 'OPEN', there = 'OPEN', ...fixture }: PartFixture = {},
) {
  const at = noonOf(day);
  const disputeId = newIdAt(at.getTime());
  const providerDisputeId = `dp-${disputeId}`;
  const { createdThereAt: createdAt = at } = fixture;
  if (here) {
    await client.query(
      `insert into dispute (customer_id, id, payment_id, provider_dispute_id, status, amount,
         reason, created_at, updated_at) values ($2, $1, $2, $3, $4, 10, 'fraudulent', $5, $5)`,
      [disputeId, paymentId, providerDisputeId, here, at],
    );
  }
  if (there) {
    const facts = { evidenceDueAt: null, fundsWithdrawn: false, fundsReinstated: false };
    const money = { amount: '10.00', currencyCode: 'USD', reason: 'fraudulent' };
    const dispute = { id: providerDisputeId, transactionId, status: there, ...facts, ...money };
    fake.disputes.push({ ...dispute, createdAt, ...fixture.listed } as Fake['disputes'][number]);
  }
  return { disputeId, providerDisputeId };
}

const rowsOf = async (table: string) =>
  (await client.query(`select * from ${table} order by 1, 2`)).rows;
const stateHere = async () =>
  Promise.all(['payment', 'refund', 'dispute', 'reconciliation'].map(rowsOf));

async function duePayments(): Promise<string[]> {
  const { rows } = await client.query(
    'select id from payment where next_attempt_at <= now() and attempts = 0 order by id',
  );
  return rows.map(({ id }) => id);
}

/** Reconciles the day, and checks that neither here nor at the provider anything was changed. */
async function reconcileUnchanged() {
  const before = await stateHere();
  const there = structuredClone([fake.payments, fake.refunds, fake.disputes]);
  const differences = await reconcileDay(app, day);
  expect(await stateHere()).toEqual(before);
  expect([fake.payments, fake.refunds, fake.disputes]).toEqual(there);
  return differences;
}

describe('the reconciliation of a day that agrees with the provider', () => {
  afterEach(() => {
    expect(lines).toEqual([]);
    expect(fake.canceled()).toEqual([]);
  });

  it.each<[ProviderStatus, string]>([
    ['captured', 'COMPLETED'],
    ['captured', 'REFUNDED'],
    ['authorized', 'AUTHORIZED'],
    ['canceled', 'FAILED'],
    ['canceled', 'VOIDED'],
    ['declined', 'FAILED'],
    ['declined', 'VOIDED'],
    ['unconfirmed', 'FAILED'],
    ['unconfirmed', 'VOIDED'],
    ['unconfirmed', 'PENDING'],
    ['actionRequired', 'PENDING'],
    ['pending', 'PENDING'],
  ])('finds nothing about a payment that is %s there and %s here', async (there, here) => {
    await newPayment({ there, here });
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it.each([
    ['pending', 'SENT'],
    ['succeeded', 'COMPLETED'],
    ['failed', 'FAILED'],
  ])('finds nothing about a refund that is %s there and %s here', async (there, here) => {
    await newRefund(await newPayment(), { there, here });
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it.each(['INQUIRY', 'CLOSED', 'OPEN', 'WON', 'LOST'])(
    'finds nothing about a dispute that is %s on both sides',
    async (status) => {
      await newDispute(await newPayment(), { there: status, here: status });
      expect(await reconcileUnchanged()).toEqual([]);
    },
  );

  it('ignores what was not created here, and its refunds and disputes', async () => {
    await newPayment();
    const foreign = listPayment({ status: 'authorized' });
    listPayment({ status: 'authorized', paymentId: 'order 17 of another system' });
    const unknown = { paymentId: 'none', transactionId: foreign.transactionId };
    await newRefund(unknown, { here: null });
    await newDispute(unknown, { here: null });
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('ignores payments that are due, with their refunds and disputes', async () => {
    const due = await newPayment({ there: 'canceled' });
    await newRefund(due, { here: null });
    await newRefund(due, { there: null });
    await newDispute(due, { here: 'INQUIRY' });
    await newDispute(due, { there: null });
    await newPayment({ there: null });
    await newPayment({ here: 'FAILED', there: 'authorized', transactionId: null });
    await client.query(`update payment set next_attempt_at = now() + interval '1 min'`);
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('ignores payments, refunds and disputes that changed in the last hour', async () => {
    await newPayment({ there: 'canceled' });
    await newPayment({ there: null });
    await newPayment({ here: 'FAILED', there: 'authorized', transactionId: null });
    await client.query(`update payment set updated_at = now() - interval '59 min'`);
    const settled = await newPayment();
    await newRefund(settled, { here: 'SENT' });
    await newRefund(settled, { here: 'SENT', there: null });
    await newDispute(settled, { here: 'INQUIRY' });
    await newDispute(settled, { there: null });
    for (const table of ['refund', 'dispute']) {
      await client.query(`update ${table} set updated_at = now() - interval '59 min'`);
    }
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('ignores refunds that are due', async () => {
    const payment = await newPayment();
    await newRefund(payment, { here: 'PENDING', providerId: null });
    await newRefund(payment, { here: 'SENT' });
    await client.query('update refund set next_attempt_at = now()');
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('finds nothing about an orphan that was canceled, or refunded in full', async () => {
    const orphan = { paymentId: newIdAt(0) };
    listPayment({ ...orphan, status: 'canceled' });
    const { transactionId } = listPayment({ ...orphan, status: 'captured' });
    await newRefund({ paymentId: '', transactionId }, { here: null, listed: { amount: '10.00' } });
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('finds nothing about a payment that ended, was captured and is refunded in full', async () => {
    const payment = await newPayment({ here: 'VOIDED' });
    await newRefund(payment, { listed: { amount: '10.00' } });
    await client.query('update refund set amount = 10');
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('finds nothing about former attempts of a refund', async () => {
    const payment = await newPayment();
    await newRefund(payment, { here: 'PENDING', there: 'failed', providerId: null });
    await newRefund(payment, { there: 'failed', providerId: 're-second' });
    fake.refunds.push({ ...(fake.refunds[1] as Fake['refunds'][number]), id: 're-second' });
    Object.assign(fake.refunds[2] as object, { status: 'succeeded' });
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('looks up what the provider created on another day than we did', async () => {
    const nextDay = noonOf(addDays(day, 1));
    const payment = await newPayment({ createdThereAt: nextDay });
    await newRefund(payment, { createdThereAt: nextDay });
    await newDispute(payment, { createdThereAt: new Date('2026-02-01') });
    await newDispute(payment);
    expect(await reconcileUnchanged()).toEqual([]);
    expect(fake.calls.filter((each) => !each.startsWith('list'))).toEqual([
      `lookUp ${payment.transactionId}`,
      `refundsOf ${payment.transactionId}`,
      `disputesOf ${payment.transactionId}`,
    ]);
  });
});

describe('the reconciliation of a day', () => {
  it.each<[ProviderStatus, string]>([
    ['captured', 'AUTHORIZED'],
    ['captured', 'FAILED'],
    ['captured', 'VOIDED'],
    ['captured', 'PENDING'],
    ['authorized', 'COMPLETED'],
    ['authorized', 'FAILED'],
    ['authorized', 'PENDING'],
    ['canceled', 'AUTHORIZED'],
    ['canceled', 'COMPLETED'],
    ['canceled', 'PENDING'],
    ['declined', 'REFUNDED'],
    ['declined', 'PENDING'],
    ['unconfirmed', 'AUTHORIZED'],
    ['actionRequired', 'FAILED'],
    ['pending', 'VOIDED'],
  ])('makes a payment due that is %s there and %s here', async (there, here) => {
    const signals: string[] = [];
    onPaymentsDue(orm, () => signals.push('due'));
    const subject = await newPayment({ there, here });
    await newPayment();
    const [difference, ...others] = await reconcileDay(app, day);
    expect(difference).toEqual({
      ...{ kind: 'PAYMENT_STATUS', subject, here, there, done: 'MADE_DUE' },
    });
    expect(others).toEqual([]);
    expect(await duePayments()).toEqual([subject.paymentId]);
    expect(signals).toEqual(['due']);
    const [line] = lines;
    expect(line).toMatchObject({
      ...{ level: 50, msg: 'payment differs from the provider', day, ...subject },
      ...{ kind: 'PAYMENT_STATUS', here, there, done: 'MADE_DUE' },
    });
    expect(fake.canceled()).toEqual([]);
  });

  it('cancels orphans: of no payment, of one without a transaction, and of one with another', async () => {
    const unknown = listPayment({ paymentId: newIdAt(0), status: 'authorized' });
    const failed = await newPayment({ here: 'FAILED', there: 'unconfirmed', transactionId: null });
    const twice = await newPayment({ transactionId: 'tx-second', there: 'declined' });
    listPayment({ paymentId: twice.paymentId, transactionId: 'tx-second', status: 'captured' });
    const before = await stateHere();
    const differences = await reconcileDay(app, day);
    const orphans = [unknown.transactionId, `tx-${failed.paymentId}`, `tx-${twice.paymentId}`];
    expect(differences).toEqual([
      {
        kind: 'PAYMENT_ORPHANED',
        subject: { paymentId: unknown.paymentId, transactionId: orphans[0] },
        ...{ here: null, there: 'authorized 10.00 USD', done: 'CANCELED' },
      },
      {
        kind: 'PAYMENT_ORPHANED',
        subject: { paymentId: failed.paymentId, transactionId: orphans[1] },
        ...{ here: 'FAILED with no transaction', there: 'unconfirmed 10.00 USD', done: 'CANCELED' },
      },
      {
        kind: 'PAYMENT_ORPHANED',
        subject: { paymentId: twice.paymentId, transactionId: orphans[2] },
        ...{ here: 'COMPLETED with tx-second', there: 'declined 10.00 USD', done: 'CANCELED' },
      },
    ]);
    expect(fake.canceled()).toEqual(orphans.map((id) => `cancel ${id}`));
    expect(await stateHere()).toEqual(before);
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('only reports an orphan that was captured', async () => {
    const { paymentId } = await newPayment({ here: 'FAILED', transactionId: null });
    const [refunded] = fake.payments;
    await newRefund({ paymentId: '', transactionId: `tx-${paymentId}` }, { here: null });
    expect(await reconcileUnchanged()).toEqual([
      {
        kind: 'PAYMENT_ORPHANED',
        subject: { paymentId, transactionId: refunded?.transactionId },
        ...{ here: 'FAILED with no transaction', there: 'captured 10.00 USD', done: 'REPORTED' },
      },
    ]);
  });

  it('cancels one orphan after the other, and goes on after one that cannot be canceled', async () => {
    const ids = ['a', 'b', 'c'].map((id) => {
      return listPayment({ paymentId: newIdAt(0), status: 'authorized', transactionId: id });
    });
    const { paymentId } = await newPayment({ there: 'canceled' });
    let running = 0;
    fake.hooks.before = async (call) => {
      if (!call.startsWith('cancel')) return;
      running += 1;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      if (call === 'cancel a') throw new Error('the bank is closed');
      if (call === 'cancel b') Object.assign(ids[1] as object, { status: 'captured' });
    };
    const differences = await reconcileDay(app, day);
    expect(differences.map(({ subject, done, reason }) => [subject, done, reason])).toEqual([
      [expect.objectContaining({ transactionId: 'a' }), 'NOT_DONE', 'the bank is closed'],
      [
        expect.objectContaining({ transactionId: 'b' }),
        'NOT_DONE',
        'it is captured after it was canceled',
      ],
      [expect.objectContaining({ transactionId: 'c' }), 'CANCELED', undefined],
      [expect.objectContaining({ paymentId }), 'MADE_DUE', undefined],
    ]);
    expect(lines.map(({ done, reason }) => [done, reason])).toEqual(
      differences.map(({ done, reason }) => [done, reason]),
    );
  });

  it.each<[Partial<ListedPayment>, string]>([
    [{ amount: '9.99' }, '9.99 USD'],
    [{ currencyCode: 'EUR' }, '10.00 EUR'],
  ])('reports a payment of another amount or currency: %j', async (listed, there) => {
    const subject = await newPayment({ listed });
    await newPayment({ listed: { amount: '10.0' } });
    expect(await reconcileUnchanged()).toEqual([
      { kind: 'PAYMENT_AMOUNT', subject, here: '10.00 USD', there, done: 'REPORTED' },
    ]);
  });

  it.each(['COMPLETED', 'REFUNDED', 'AUTHORIZED'])(
    'reports a payment that is %s and that the provider does not know',
    async (here) => {
      const subject = await newPayment({ here, there: null });
      await newPayment({ here: 'FAILED', there: null });
      await newPayment({ there: null, createdAt: noonOf(addDays(day, 1)) });
      const { from, to } = periodOf(day);
      await newPayment({ there: null, createdAt: new Date(from.getTime() - 1) });
      await newPayment({ there: null, createdAt: to });
      expect(await reconcileUnchanged()).toEqual([
        { kind: 'PAYMENT_MISSING', subject, here, there: null, done: 'REPORTED' },
      ]);
    },
  );

  it('reports a missing payment whose id is a day older than the payment', async () => {
    const idAt = new Date(noonOf(day).getTime() - 24 * hourMs);
    const subject = await newPayment({ there: null, createdAt: idAt });
    const later = [noonOf(day), subject.paymentId];
    await client.query('update payment set created_at = $1, updated_at = $1 where id = $2', later);
    expect(await reconcileUnchanged()).toMatchObject([{ kind: 'PAYMENT_MISSING', subject }]);
  });

  it('reports a payment that the provider knows as nothing but an id', async () => {
    const subject = await newPayment({ there: null });
    const listed = { ...subject, status: 'unconfirmed' as const };
    listPayment({ ...listed, paymentId: null, createdAt: new Date('2026-01-01') });
    expect(await reconcileUnchanged()).toMatchObject([{ kind: 'PAYMENT_MISSING', subject }]);
  });

  it('makes the payment of an unknown refund due', async () => {
    const payment = await newPayment();
    const { providerRefundId } = await newRefund(payment, { here: null, there: 'pending' });
    const { refundId } = await newRefund(payment, { providerId: 're-first' });
    await newRefund(payment, { here: null, there: 'failed' });
    expect(await reconcileDay(app, day)).toEqual([
      {
        kind: 'REFUND_UNKNOWN',
        subject: { ...payment, providerRefundId },
        ...{ here: null, there: 'pending 4.00 USD', done: 'MADE_DUE' },
      },
      {
        // It was refunded twice.
        kind: 'REFUND_UNKNOWN',
        subject: { ...payment, providerRefundId: `re-${refundId}` },
        ...{ here: null, there: 'succeeded 4.00 USD', done: 'MADE_DUE' },
      },
      {
        kind: 'REFUND_MISSING',
        subject: { ...payment, refundId, providerRefundId: 're-first' },
        ...{ here: 'COMPLETED', there: null, done: 'REPORTED' },
      },
    ]);
    expect(await duePayments()).toEqual([payment.paymentId]);
  });

  it.each([
    ['succeeded', 'SENT'],
    ['failed', 'SENT'],
    ['failed', 'COMPLETED'],
    ['pending', 'COMPLETED'],
    ['succeeded', 'FAILED'],
    ['succeeded', 'PENDING'],
  ])('makes the payment of a refund due that is %s there and %s here', async (there, here) => {
    const payment = await newPayment();
    const providerId = here === 'PENDING' ? { providerId: null } : {};
    const refund = await newRefund(payment, { there, here, ...providerId });
    const subject = { ...payment, ...refund };
    expect(await reconcileDay(app, day)).toEqual([
      { kind: 'REFUND_STATUS', subject, here, there, done: 'MADE_DUE' },
    ]);
    expect(await duePayments()).toEqual([payment.paymentId]);
  });

  it.each(['SENT', 'COMPLETED'])(
    'reports a refund that is %s and that the provider does not know',
    async (here) => {
      const payment = await newPayment();
      const refund = await newRefund(payment, { here, there: null });
      await newRefund(payment, { here: 'FAILED', there: null });
      await newRefund(payment, { here: 'PENDING', there: null, providerId: null });
      const subject = { ...payment, ...refund };
      expect(await reconcileUnchanged()).toEqual([
        { kind: 'REFUND_MISSING', subject, here, there: null, done: 'REPORTED' },
      ]);
    },
  );

  it('reports refunds of another amount', async () => {
    const payment = await newPayment();
    const refund = await newRefund(payment, { listed: { amount: '4.01' } });
    const subject = { ...payment, ...refund };
    const amounts = { here: '4.00 USD', there: '4.01 USD' };
    expect(await reconcileUnchanged()).toEqual([
      { kind: 'REFUND_AMOUNT', subject, ...amounts, done: 'REPORTED' },
    ]);
  });

  it('makes the payment of a dispute due that is unknown here, or in another state', async () => {
    const [first, second, third] = [await newPayment(), await newPayment(), await newPayment()];
    const unknown = await newDispute(first, { here: null });
    const decided = await newDispute(second, { there: 'LOST' });
    const partial = await newDispute(third, { listed: { amount: '6.00' } });
    expect(await reconcileDay(app, day)).toEqual([
      {
        kind: 'DISPUTE_UNKNOWN',
        subject: { ...first, providerDisputeId: unknown.providerDisputeId },
        ...{ here: null, there: 'OPEN 10.00 USD', done: 'MADE_DUE' },
      },
      {
        kind: 'DISPUTE_STATUS',
        subject: { ...second, ...decided },
        ...{ here: 'OPEN', there: 'LOST', done: 'MADE_DUE' },
      },
      {
        kind: 'DISPUTE_AMOUNT',
        subject: { ...third, ...partial },
        ...{ here: '10.00 USD', there: '6.00 USD', done: 'MADE_DUE' },
      },
    ]);
    expect(await duePayments()).toEqual([first, second, third].map(({ paymentId }) => paymentId));
  });

  it('reports a dispute in another currency, and one that the provider does not know', async () => {
    const payment = await newPayment();
    const foreign = await newDispute(payment, { listed: { currencyCode: 'EUR' } });
    const missing = await newDispute(payment, { there: null });
    expect(await reconcileUnchanged()).toEqual([
      {
        kind: 'DISPUTE_AMOUNT',
        subject: { ...payment, ...foreign },
        ...{ here: '10.00 USD', there: '10.00 EUR', done: 'REPORTED' },
      },
      {
        kind: 'DISPUTE_MISSING',
        subject: { ...payment, ...missing },
        ...{ here: 'OPEN', there: null, done: 'REPORTED' },
      },
    ]);
  });

  it('leads to the state of the provider: the worker settles what was made due', async () => {
    const payment = await newPayment();
    await newRefund(payment, { here: null });
    await newRefund(payment, { here: 'SENT' });
    await newDispute(payment, { here: 'INQUIRY', there: 'WON' });
    expect(await reconcileDay(app, day)).toHaveLength(3);
    expect(await recoverPayments(ofAll())).toBe(1);
    expect(await rowsOf('refund')).toMatchObject([
      { status: 'COMPLETED' },
      { status: 'COMPLETED', origin: 'DASHBOARD' },
    ]);
    expect(await rowsOf('dispute')).toMatchObject([{ status: 'WON' }]);
    for (const table of ['payment', 'refund', 'dispute']) {
      await client.query(`update ${table} set updated_at = created_at - interval '1 day'`);
    }
    expect(await reconcileUnchanged()).toEqual([]);
  });

  it('takes in batches what a day has, and looks up 2,000 at most', async () => {
    const count = 2604;
    await newPayment();
    const ids = Array.from({ length: count }, (_, n) => newIdAt(noonOf(day).getTime() + n));
    const copy = `from payment p, unnest($1::uuid[]) as copies (copy_id)`;
    await client.query(
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number)
       select copy_id, copy_id, 10, 'USD', '{}', nextval('order_number') ${copy}`,
      [ids],
    );
    await client.query(
      `with inserted as (
         insert into payment (id, order_id, customer_id, amount, status, provider,
           provider_transaction_id, created_at, updated_at)
         select copy_id, copy_id, copy_id, 10, 'COMPLETED', 'fake', 'tx-' || copy_id, p.created_at,
           p.updated_at ${copy} returning *
       ) ${storeTransactionsSql('inserted')}`,
      [ids],
    );
    const [missing, listed] = [ids.slice(0, 2003), ids.slice(2003)];
    for (const paymentId of listed) {
      listPayment({ paymentId, transactionId: `tx-${paymentId}`, status: 'authorized' });
    }
    const differences = await reconcileDay(app, day);
    const found = (kind: string) =>
      differences.filter((each) => each.kind === kind).map(({ subject }) => subject.paymentId);
    expect(found('PAYMENT_STATUS')).toEqual(listed);
    expect(found('PAYMENT_MISSING').sort()).toEqual(missing);
    expect(differences).toHaveLength(count);
    expect(await duePayments()).toEqual(listed);
    expect(fake.calls.filter((each) => each.startsWith('lookUp'))).toHaveLength(2000);
  });

  it('changes nothing if the provider fails before everything is compared', async () => {
    await newPayment({ there: 'canceled' });
    listPayment({ paymentId: newIdAt(0), status: 'authorized' });
    fake.hooks.before = (call) => {
      if (call.startsWith('listDisputes')) throw new Error('the provider is down');
    };
    const before = await stateHere();
    await expect(reconcileDay(app, day)).rejects.toThrow('the provider is down');
    expect(await stateHere()).toEqual(before);
    expect(fake.canceled()).toEqual([]);
    expect(lines).toEqual([]);
  });
});

describe('the worker that reconciles payments', () => {
  const now = new Date();
  /** the last day whose reconciliations are due */
  const today = utcDayOf(new Date(now.getTime() - hourMs));
  const yesterday = addDays(today, -1);
  const never = () => false;
  const reconcile = (isStopping = never) => reconcilePayments(ofAll(), isStopping, now);
  const listedDays = () =>
    fake.calls
      .filter((each) => each.startsWith('listPayments'))
      .map((each) => each.split(' ')[1] as string);
  const finishedRows = async () =>
    (
      await client.query(
        `select day::text, days_after, differences from reconciliation where finished_at is not null
         order by days_after, day`,
      )
    ).rows;
  const gauges = async () => {
    const em = orm.em.fork();
    const read = await Promise.all(
      reconciliationGauges.map(
        async ({ name, read }) => [name, await read({ em, app: ofAll() })] as const,
      ),
    );
    return Object.fromEntries(read) as Record<string, number | { fake: number }>;
  };

  const ageIn = (read: Awaited<ReturnType<typeof gauges>>) =>
    (read.holdfast_reconciliation_age_seconds as { fake: number }).fake;

  it('reconciles each day 1, 7 and 30 days later, for a week, from the first payment on', async () => {
    await newPayment({ createdAt: noonOf(addDays(today, -31)) });
    expect(await reconcile()).toBe(16);
    const days = (from: number, to: number) =>
      Array.from({ length: from - to + 1 }, (_, n) => addDays(today, n - from));
    const expected = [
      ...days(7, 1).map((of) => ({ day: of, days_after: 1, differences: 0 })),
      ...days(13, 7).map((of) => ({ day: of, days_after: 7, differences: 0 })),
      ...days(31, 30).map((of) => ({ day: of, days_after: 30, differences: 0 })),
    ];
    expect(await finishedRows()).toEqual(expected);
    expect(listedDays().sort()).toEqual(expected.map((row) => row.day).sort());
    expect(await reconcile()).toBe(0);
    expect(listedDays()).toHaveLength(16);
  });

  it('reconciles nothing while there was no payment', async () => {
    expect(await reconcile()).toBe(0);
    await newPayment({ createdAt: noonOf(today) });
    expect(await reconcile()).toBe(0);
    expect(fake.calls).toEqual([]);
    expect(await gauges()).toEqual({
      holdfast_reconciliation_differences: 0,
      holdfast_reconciliation_age_seconds: { fake: 0 },
    });
  });

  it('begins at 01:00 UTC', async () => {
    await newPayment();
    const at = (time: string) => new Date(`${addDays(day, 1)}T${time}Z`);
    expect(await reconcilePayments(ofAll(), never, at('00:59:59'))).toBe(0);
    expect(await reconcilePayments(ofAll(), never, at('01:00:00'))).toBe(1);
    expect(await finishedRows()).toEqual([{ day, days_after: 1, differences: 0 }]);
  });

  it('runs each reconciliation once, whatever the number of processes', async () => {
    await newPayment({ createdAt: noonOf(addDays(today, -10)), there: 'canceled' });
    const others = await Promise.all([newOrm(), newOrm(), newOrm()]);
    fake.hooks.before = () => new Promise((resolve) => setTimeout(resolve, 2));
    const apps = [ofAll(), ...others.map((each) => ({ ...ofAll(), orm: each }))];
    const counts = await Promise.all(apps.map((each) => reconcilePayments(each, never, now)));
    await Promise.all(others.map(disconnect));
    const finished = await finishedRows();
    // Seven days one day later, and four days seven days later.
    expect(finished).toHaveLength(11);
    expect(counts.reduce((sum, count) => sum + count)).toBe(11);
    expect(listedDays()).toHaveLength(11);
    expect(new Set(finished.map((row) => `${row.day} ${row.days_after}`)).size).toBe(11);
  });

  it('logs what it found, and counts it in the metrics', async () => {
    const first = await newPayment({ createdAt: noonOf(yesterday), there: 'canceled' });
    await newPayment({ createdAt: noonOf(yesterday), there: null });
    expect(ageIn(await gauges())).toBeCloseTo(
      Math.max(0, (Date.now() - periodOf(today).from.getTime()) / 1000 - 3600),
      -1,
    );
    expect(await reconcile()).toBe(1);
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([
      { msg: 'payment differs from the provider', day: yesterday, paymentId: first.paymentId },
      { msg: 'payment differs from the provider', day: yesterday, kind: 'PAYMENT_MISSING' },
    ]);
    expect(await finishedRows()).toEqual([{ day: yesterday, days_after: 1, differences: 2 }]);
    const read = await gauges();
    expect(read.holdfast_reconciliation_differences).toBe(2);
    expect(ageIn(read)).toBeLessThan(100);
    await client.query(`update reconciliation set finished_at = now() - interval '25 h'`);
    const later = await gauges();
    expect(later.holdfast_reconciliation_differences).toBe(0);
    expect(ageIn(later)).toBeCloseTo(90_000, -2);
  });

  it('retries later what the provider did not answer, and goes on with the other days', async () => {
    const dayBefore = addDays(today, -2);
    const { paymentId } = await newPayment({ createdAt: noonOf(dayBefore), there: 'canceled' });
    fake.hooks.before = (call) => {
      if (call === `listRefunds ${dayBefore}`) throw new Error('the provider is down');
    };
    expect(await reconcile()).toBe(1);
    expect(await finishedRows()).toEqual([{ day: yesterday, days_after: 1, differences: 0 }]);
    expect(await duePayments()).toEqual([]);
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([
      { msg: 'reconciliation failed; it is retried', day: dayBefore, daysAfter: 1 },
    ]);
    delete fake.hooks.before;
    expect(await reconcile()).toBe(0);
    await client.query(
      `update reconciliation set claimed_until = claimed_until - interval '10 min'`,
    );
    expect(await reconcile()).toBe(1);
    expect(await finishedRows()).toEqual([
      { day: dayBefore, days_after: 1, differences: 1 },
      { day: yesterday, days_after: 1, differences: 0 },
    ]);
    expect(await duePayments()).toEqual([paymentId]);
  });

  it('repeats what was not done for the moment, and keeps what it has compared', async () => {
    const createdAt = noonOf(yesterday);
    for (let n = 0; n < 3; n++) listPayment({ status: 'captured', createdAt });
    await newPayment({ createdAt, createdThereAt: noonOf(today) });
    fake.settings.pageSize = 2;
    fake.hooks.before = () => {
      // The second page, and after its repetition the look-up of what was created there a day later.
      if ([2, 4].includes(fake.calls.length)) throw new RateLimited('429');
    };
    expect(await reconcile()).toBe(1);
    expect(await finishedRows()).toEqual([{ day: yesterday, days_after: 1, differences: 0 }]);
    const names = fake.calls.map((each) => each.split(' ')[0]);
    const repeated = [...Array(3).fill('listPayments'), 'lookUp', 'lookUp'];
    expect(names).toEqual([...repeated, 'listRefunds', 'listDisputes']);
    expect(lines.filter(({ level }) => level === 50)).toEqual([]);
  });

  it('takes over from a process that died, once its claim has lapsed', async () => {
    await newPayment({ createdAt: noonOf(yesterday) });
    await client.query(
      `insert into reconciliation (provider, day, days_after, claimed_until)
       values ('fake', $1, 1, now() + interval '1 min')`,
      [yesterday],
    );
    expect(await reconcile()).toBe(0);
    await client.query('update reconciliation set claimed_until = now()');
    expect(await reconcile()).toBe(1);
  });

  it.each([
    ['listDisputes', 0],
    ['disputesOf', 0],
    ['cancel', 1],
  ])('does no more for a day that another process took over at %s', async (name, canceled) => {
    const createdAt = noonOf(yesterday);
    for (const transactionId of ['a', 'b']) {
      listPayment({ paymentId: newIdAt(0), status: 'authorized', createdAt, transactionId });
    }
    await newPayment({ createdAt, there: 'canceled' });
    const payment = await newPayment({ createdAt });
    const { disputeId } = await newDispute(payment, { there: null });
    await client.query(
      'update dispute set id = $1, created_at = $2, updated_at = $2 where id = $3',
      [newIdAt(createdAt.getTime()), new Date(createdAt.getTime() - hourMs), disputeId],
    );
    fake.hooks.before = async (call) => {
      if (!call.startsWith(name)) return;
      await client.query(`update reconciliation set claimed_until = now() + interval '1 h'`);
    };
    expect(await reconcile()).toBe(0);
    expect(await finishedRows()).toEqual([]);
    expect(fake.calls.some((each) => each.startsWith('disputesOf'))).toBe(name !== 'listDisputes');
    expect(fake.canceled()).toHaveLength(canceled);
    expect(await duePayments()).toHaveLength(canceled);
    expect(lines).toHaveLength(canceled);
    const { rows } = await client.query(
      `select claimed_until > now() + interval '50 min' as kept from reconciliation`,
    );
    expect(rows).toEqual([{ kept: true }]);
  });

  it('stops between two batches with its process, and another process continues at once', async () => {
    await newPayment({ createdAt: noonOf(yesterday), there: 'canceled' });
    let isStopping = false;
    fake.hooks.before = (call) => {
      if (call.startsWith('listRefunds')) isStopping = true;
    };
    expect(await reconcile(() => isStopping)).toBe(0);
    expect(fake.calls.map((each) => each.split(' ')[0])).toEqual(['listPayments', 'listRefunds']);
    expect(lines).toEqual([]);
    expect(await reconcile()).toBe(1);
    expect(await finishedRows()).toEqual([{ day: yesterday, days_after: 1, differences: 1 }]);
  });

  it('keeps what it finished for 400 days', async () => {
    await client.query(
      `insert into reconciliation (provider, day, days_after, claimed_until, finished_at, differences)
       select 'fake', current_date - age, 1, now(), now(), 0 from unnest(array[398, 399, 401]) as age`,
    );
    expect(await prune(orm.em, prunablesOf(orm.em, [Reconciliation]), app.logger)).toBe(1);
    expect(await rowsOf('reconciliation')).toHaveLength(2);
  });
});
