import pg from 'pg';
import type { ProcessName } from '../harness/process-system.js';
import { eventually } from '../harness/wait.js';
import { openSale, pause, roundsCount, roundsMaxMs, type Sale, someCheckouts } from './sale.js';

// Longer than most requests, and shorter than a connection to PostgreSQL may be idle in a transaction.
const hangMs = 3000;

describe('a sale during which a process is killed or hangs', () => {
  let sale: Sale;
  let warehouse: pg.Client;
  beforeAll(async () => {
    sale = await openSale();
    warehouse = new pg.Client({ connectionString: sale.system.databases.warehouse });
    await warehouse.connect();
  }, 240_000);
  afterAll(async () => {
    await warehouse.end();
    await sale.stop();
  }, 60_000);

  const killed: ProcessName[] = ['order', 'warehouse', 'user', 'router', 'shop', 'sandbox'];
  it.each(killed)(
    `sells nothing twice and loses nothing while %s is killed, rounds: ${roundsCount}`,
    async (name) => {
      const begin = () => sale.system.kill(name);
      const end = () => sale.system.start(name);
      for (let n = 0; n < roundsCount; n++) await sale.round({ begin, end });
    },
    roundsMaxMs,
  );

  /** Waits until an event of warehouse has waited for a consumer for some time. */
  const eventsWait = (consumer: string) =>
    eventually(
      () =>
        warehouse.query(
          `select from outbox where consumer = $1 and sent_at is null
             and created_at < now() - interval '${hangMs} ms'`,
          [consumer],
        ),
      ({ rowCount }) => (rowCount ?? 0) > 0,
    );
  const hanging: [ProcessName, () => Promise<unknown>][] = [
    ['product', () => Promise.all([eventsWait('product'), sale.crowd.acknowledges(someCheckouts)])],
    ['order', () => eventsWait('order')],
    ['warehouse', () => pause(hangMs)],
    ['shop', () => pause(hangMs)],
  ];
  it.each(hanging)(
    `sells nothing twice and loses nothing while %s hangs, rounds: ${roundsCount}`,
    async (name, during) => {
      const begin = () => sale.system.freeze(name);
      const end = () => sale.system.thaw(name);
      for (let n = 0; n < roundsCount; n++) await sale.round({ begin, during, end });
    },
    roundsMaxMs,
  );

  it('had customers who paid, were declined, and reached the purchase limit', () => {
    const expected = ['Cart', 'CheckoutSuccess', 'PaymentSuccess', 'PaymentDeclined'];
    const names = [...expected, 'PurchaseLimitExceeded', 'InsufficientStock'];
    expect(Object.keys(sale.crowd.answers)).toEqual(expect.arrayContaining(names));
  });
});
