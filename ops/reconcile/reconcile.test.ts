import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { newIdAt } from '../../subgraphs/shared/ids.js';
import { createTestDatabases } from '../../tests/harness/databases.js';
import { root } from '../subgraph-names.js';
import { dayToReconcile, report, UsageError } from './reconcile.js';

describe('the day to reconcile', () => {
  const now = new Date('2026-11-21T00:30:00Z');

  it('is yesterday in UTC, or the one that is named', () => {
    expect(dayToReconcile([], now)).toBe('2026-11-20');
    expect(dayToReconcile(['2026-11-20'], now)).toBe('2026-11-20');
    expect(dayToReconcile(['2024-02-29'], now)).toBe('2024-02-29');
  });

  it.each([
    [['20.11.2026'], '“20.11.2026” is not a day. Usage: npm run reconcile -- 2026-11-20'],
    [['2026-02-30'], '“2026-02-30” is not a day. Usage: npm run reconcile -- 2026-11-20'],
    [['2026-11-20T00'], '“2026-11-20T00” is not a day. Usage: npm run reconcile -- 2026-11-20'],
    [[''], '“” is not a day. Usage: npm run reconcile -- 2026-11-20'],
    [
      ['2026-11-19', '2026-11-20'],
      '“2026-11-19 2026-11-20” is not a day. Usage: npm run reconcile -- 2026-11-20',
    ],
    [
      ['2026-11-21'],
      '2026-11-21 has not ended in UTC. The last day that can be reconciled is 2026-11-20.',
    ],
  ])('is not %j, and the error says what is right', (args, message) => {
    expect(() => dayToReconcile(args, now)).toThrow(new UsageError(message));
  });
});

describe('the report', () => {
  it('has a line for each difference, and a summary', () => {
    const subject = { paymentId: 'p1', transactionId: 't1' };
    const text = report('stripe', '2026-11-20', [
      { kind: 'PAYMENT_STATUS', subject, here: 'FAILED', there: 'captured', done: 'MADE_DUE' },
      {
        kind: 'PAYMENT_ORPHANED',
        subject: { transactionId: 't2' },
        ...{ here: null, there: 'authorized 5.00 USD', done: 'NOT_DONE', reason: 'no answer' },
      },
    ]);
    expect(text.split('\n')).toEqual([
      'PAYMENT_STATUS paymentId=p1 transactionId=t1: here: FAILED, at the provider: captured; a worker settles the payment',
      'PAYMENT_ORPHANED transactionId=t2: here: unknown, at the provider: authorized 5.00 USD; not canceled (no answer)',
      '2026-11-20: 2 differences from stripe',
    ]);
    expect(report('stripe', '2026-11-20', [])).toBe(
      '2026-11-20: payments, refunds and disputes agree with stripe',
    );
  });
});

describe('npm run reconcile', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let client: pg.Client;
  /** a provider that has nothing */
  let provider: Server;
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    client = new pg.Client({ connectionString: databases.urls.order });
    await client.connect();
    provider = createServer((request, response) => {
      const isList = request.url?.includes('?');
      response.statusCode = isList ? 200 : 404;
      response.end(JSON.stringify(isList ? { data: [], hasMore: false } : { error: 'unknown' }));
    });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    provider.closeAllConnections();
    await new Promise((resolve) => provider.close(resolve));
    await client.end();
    await databases.drop();
  });

  const run = (args: readonly string[], given: NodeJS.ProcessEnv = {}) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const { port } = provider.address() as AddressInfo;
      const env = {
        ...process.env,
        ...{ NODE_ENV: '', NODE_OPTIONS: '', DATABASE_URL: databases.urls.order },
        ...{ PAYMENT_SANDBOX_URL: `http://127.0.0.1:${port}` },
        ...{ STATE_DIR: join(tmpdir(), 'nothing-is-here'), ...given },
      };
      const program = join(root, 'dist/ops/reconcile/index.js');
      execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, stdout, stderr });
      });
    });

  it('exits with 0 without differences, and with 1 if there are some, and stores nothing', async () => {
    const agreed = '2026-11-20: payments, refunds and disputes agree with sandbox\n';
    expect(await run(['2026-11-20'])).toEqual({ code: 0, stdout: agreed, stderr: '' });
    const at = new Date('2026-11-20T12:00:00Z');
    const id = newIdAt(at.getTime());
    await client.query(
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number)
       values ($1, $1, 10, 'USD', '{}', 'H1')`,
      [id],
    );
    await client.query(
      `insert into payment (id, order_id, customer_id, amount, status, provider, provider_transaction_id,
         created_at, updated_at)
       values ($1, $1, $1, 10, 'COMPLETED', 'sandbox', $3, $2, $2)`,
      [id, at, id],
    );
    const found =
      `PAYMENT_MISSING paymentId=${id} transactionId=${id}: ` +
      'here: COMPLETED, at the provider: unknown; nothing was changed\n' +
      '2026-11-20: 1 difference from sandbox\n';
    expect(await run(['2026-11-20'])).toEqual({ code: 1, stdout: found, stderr: '' });
    expect((await client.query('select 1 from reconciliation')).rowCount).toBe(0);
  });

  it.each([
    [
      'a bad date',
      ['yesterday'],
      {},
      2,
      /^“yesterday” is not a day\. Usage: npm run reconcile -- /,
    ],
    [
      'no system',
      [],
      { DATABASE_URL: '' },
      3,
      /^No running system found\. Start it with npm start/,
    ],
    ['no provider', [], { PAYMENT_SANDBOX_URL: 'http://127.0.0.1:1' }, 3, /ECONNREFUSED/],
    ['no key', [], { PAYMENT_PROVIDER: 'stripe' }, 3, /STRIPE_SECRET_KEY is missing/],
    ['no database', [], { NODE_ENV: 'production', DATABASE_URL: '' }, 3, /DATABASE_URL is missing/],
  ])('says what is wrong with %s', async (_, args, env, code, stderr) => {
    expect(await run(args, env)).toEqual({
      code,
      stdout: '',
      stderr: expect.stringMatching(stderr),
    });
  });
});
