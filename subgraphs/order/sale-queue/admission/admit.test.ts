import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createFakeSaleReads, type Queues, queuesIn } from '../../../../tests/harness/admission.js';
import {
  offerOf,
  openPlacing,
  orderOf,
  type PlacingDatabase,
  saleTermsOf,
} from '../../../../tests/harness/placing.js';
import { someoneWaits } from '../../../../tests/harness/wait.js';
import type { SaleSummary } from '../../../contracts/shop.js';
import { connect, disconnect } from '../../../shared/database/connect.js';
import { createLogger } from '../../../shared/observability/logger.js';
import type { NewOrder } from '../../checkout/new-order.js';
import { databaseSchema } from '../../mikro-orm.config.js';
import { changeOrders, type OrderChange } from '../../order/transitions/change-orders.js';
import { type AdmitWaiting, createAdmission, openAdmissionsMax } from './admit.js';

const logger = createLogger('test', 'silent');
const minuteMs = 60_000;
const heldFor = (ms: number): OrderChange => {
  return { to: 'HELD', expiresAt: new Date(Date.now() + ms) };
};
const declined: OrderChange = { to: 'CANCELLED', reason: 'PAYMENT_FAILED' };
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('the admission to a sale with a queue', () => {
  let database: PlacingDatabase;
  let other: PlacingDatabase['orm'];
  let queues: Queues;
  let fake: ReturnType<typeof createFakeSaleReads>;
  let admit: AdmitWaiting;
  let admitBeside: AdmitWaiting;
  beforeAll(async () => {
    database = await openPlacing({ openOrdersMax: 100, openUnitsMax: 100, addressBuyersMax: 3 });
    other = await connect({ name: 'other', url: database.url, poolMax: 4 }, databaseSchema);
    queues = queuesIn(database.rows);
  });
  beforeEach(async () => {
    await database.rows('update sale_queue set ended_at = now()');
    fake = createFakeSaleReads();
    admit = createAdmission(database.orm.em, fake.reads, logger);
    admitBeside = createAdmission(other.em, fake.reads, logger);
  });
  afterAll(async () => {
    await disconnect(other);
    await database.close();
  });

  async function queue(units: number, tickets: number, given: Partial<SaleSummary> = {}) {
    const saleId = await queues.addQueue();
    fake.add(saleId, units, given);
    const customers = await queues.addTickets(saleId, tickets);
    return { saleId, customers };
  }
  const orderIn = (saleId: string, customer: string | undefined) => {
    const sale = saleTermsOf({ id: saleId, admission: 'QUEUED' });
    const offer = offerOf({ id: saleId, shopId: saleId, sku: 'S', sale });
    return orderOf(customer as string, [{ offer, quantity: 1, saleId }]);
  };
  const change = (order: NewOrder, change: OrderChange) =>
    changeOrders(database.orm.em.fork(), [{ order, change }]);
  /** Places an order whose unit the warehouse holds. */
  async function hold(saleId: string, customer: string | undefined, forMs = minuteMs) {
    const order = orderIn(saleId, customer);
    expect(await database.place(order)).toMatchObject({ state: 'placed' });
    const units = fake.units.get(saleId) as { held: number };
    units.held += 1;
    await change(order, heldFor(forMs));
    return order;
  }
  async function release(saleId: string, order: NewOrder, how = declined) {
    (fake.units.get(saleId) as { held: number }).held -= 1;
    await change(order, how);
  }
  const lapse = (saleId: string, customers: readonly string[]) =>
    database.rows(
      `update sale_ticket set admitted_at = now() - interval '5 minutes'
       where sale_id = $1 and customer_id = any($2)`,
      [saleId, customers],
    );

  it('lets as many in as units are free, half as many again where there are more than 20', () => {
    expect([0, 1, 20, 21, 100].map(openAdmissionsMax)).toEqual([0, 1, 20, 31, 150]);
  });

  it('is in the order of the numbers, passes over those who left, and moves the watermark', async () => {
    const { saleId, customers } = await queue(3, 6);
    await database.rows('update sale_ticket set left_at = now() where customer_id = $1', [
      customers[1],
    ]);
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 3, 4]);
    expect((await queues.queueOf(saleId)).serving).toBe(4);
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 3, 4]);
  });

  it('lets the next in once one has paid or their admission is over, as units are free', async () => {
    const { saleId, customers } = await queue(2, 5);
    await admit();
    const [first] = [await hold(saleId, customers[0])];
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2]);
    await change(first, { to: 'CONFIRMED' });
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2]);
    await lapse(saleId, customers.slice(0, 2));
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2, 3]);
  });

  it('lets the next in when a unit comes back whose holder is no longer admitted', async () => {
    const { saleId, customers } = await queue(1, 3);
    await admit();
    const order = await hold(saleId, customers[0]);
    await lapse(saleId, customers.slice(0, 1));
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1]);
    await release(saleId, order, { to: 'CANCELLED', reason: 'PAYMENT_TIMEOUT' });
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2]);
  });

  it('counts an admission whose order ended between the count and the read of the units', async () => {
    const { saleId, customers } = await queue(1, 3);
    await admit();
    const order = await hold(saleId, customers[0]);
    fake.beforeStock(async () => {
      fake.beforeStock(async () => {});
      await release(saleId, order);
    });
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1]);
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1]);
  });

  it('counts an admission whose order was held between the count and the read of the units', async () => {
    const { saleId, customers } = await queue(2, 4);
    await admit();
    fake.beforeStock(async () => {
      fake.beforeStock(async () => {});
      await hold(saleId, customers[0]);
    });
    await lapse(saleId, customers.slice(1, 2));
    await admit();
    // One unit is free, and one admission was counted that holds it no longer.
    expect(await queues.admittedIn(saleId)).toEqual([1, 2]);
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2, 3]);
  });

  it('counts an admission whose hold has expired, before its order has ended', async () => {
    const { saleId, customers } = await queue(1, 3);
    await admit();
    const order = await hold(saleId, customers[0], -1);
    (fake.units.get(saleId) as { held: number }).held -= 1;
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1]);
    await change(order, { to: 'CANCELLED', reason: 'PAYMENT_TIMEOUT' });
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1]);
  });

  it('counts an admission whose hold expired between the count and the read of the units', async () => {
    const { saleId, customers } = await queue(1, 3);
    await admit();
    // Within 2 s of its expiry a hold counts as expired, as the clock of the warehouse may be ahead.
    await hold(saleId, customers[0], 2500);
    fake.beforeStock(async () => {
      fake.beforeStock(async () => {});
      (fake.units.get(saleId) as { held: number }).held -= 1;
      await sleep(1000);
    });
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1]);
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1]);
  });

  it('passes over a ticket that was left and taken again while it waited for the queue', async () => {
    const { saleId, customers } = await queue(1, 3);
    const joining = new pg.Client({ connectionString: database.url });
    await joining.connect();
    fake.beforeStock(async () => {
      fake.beforeStock(async () => {});
      await joining.query('begin');
      await joining.query('select 1 from sale_queue where sale_id = $1 for update', [saleId]);
    });
    const admitting = admit();
    await someoneWaits(database.client);
    await joining.query(
      `with queue as (
         update sale_queue set next_number = next_number + 1 where sale_id = $1
         returning next_number - 1 as number)
       update sale_ticket t set number = queue.number from queue
       where t.sale_id = $1 and customer_id = $2`,
      [saleId, customers[0]],
    );
    await joining.query('commit');
    await joining.end();
    await admitting;
    expect(await queues.admittedIn(saleId)).toEqual([]);
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([2]);
  });

  it('lasts longer by the pauses of the sale, in which nobody is admitted', async () => {
    const { saleId, customers } = await queue(1, 3);
    /** A turn that reads the sale again. */
    const turnWith = async (units: number, given: Partial<SaleSummary>) => {
      fake.add(saleId, units, given);
      await queues.endLease(saleId);
      await createAdmission(database.orm.em, fake.reads, logger)();
      return queues.admittedIn(saleId);
    };
    expect(await turnWith(1, {})).toEqual([1]);
    await lapse(saleId, customers.slice(0, 1));
    expect(await turnWith(2, { state: 'PAUSED', pausedMs: 60_000 })).toEqual([1]);
    expect(await turnWith(1, { pausedMs: 60_000 })).toEqual([1]);
    expect(await turnWith(1, {})).toEqual([1, 2]);
  });

  it('does not begin before the draw and the start', async () => {
    const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
    const [undrawn, early, notLive] = [
      await queues.addQueue({ drawn: false }),
      await queues.addQueue({ startsInMs: 1000 }),
      await queues.addQueue(),
    ];
    for (const saleId of [undrawn, early]) fake.add(saleId, 10);
    // By the clock of shop, which decides, it has not started.
    fake.add(notLive, 10, { state: 'SCHEDULED', startsAt: inHours(1), endsAt: inHours(2) });
    for (const saleId of [undrawn, early, notLive]) await queues.addTickets(saleId, 2);
    await admit();
    for (const saleId of [undrawn, early, notLive]) {
      expect(await queues.admittedIn(saleId)).toEqual([]);
      expect((await queues.queueOf(saleId)).ended).toBe(false);
    }
  });

  it.each(['sales', 'stock'] as const)('is of nobody while %s are not known', async (fault) => {
    const { saleId } = await queue(3, 3);
    fake.faults[fault] = true;
    await admit();
    expect(await queues.queueOf(saleId)).toMatchObject({ serving: 0, ended: false });
    fake.faults[fault] = false;
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2, 3]);
  });

  it('is at most at the rate of the sale, spread over the seconds', async () => {
    const { saleId } = await queue(1000, 500, { admissionsPerMinute: 90 });
    const shift = (seconds: number) =>
      database.rows(
        `update sale_ticket set admitted_at = admitted_at - $2 * interval '1 s'
         where sale_id = $1 and admitted_at is not null`,
        [saleId, seconds],
      );
    await admit();
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual(upTo(2));
    for (let n = 0; n < 100; n++) {
      await shift(1);
      await admit();
    }
    const [row] = await database.rows<{ most: number }>(
      `select max(count)::int as most from (
         select count(*) over (order by admitted_at range between interval '59.9 s' preceding and current row)
         from sale_ticket where sale_id = $1 and admitted_at is not null) as within`,
      [saleId],
    );
    // Two a second would be 120.
    expect(row?.most).toBeLessThanOrEqual(90);
    expect((await queues.queueOf(saleId)).serving).toBeGreaterThan(90);
  });

  it('ends when all units are sold, and not while one is held', async () => {
    const { saleId, customers } = await queue(2, 4);
    const units = (given: object) => Object.assign(fake.units.get(saleId) ?? {}, given);
    units({ held: 1, sold: 1 });
    await admit();
    expect(await queues.queueOf(saleId)).toMatchObject({ serving: 0, ended: false });
    units({ held: 0, sold: 2 });
    await admit();
    expect(await queues.queueOf(saleId)).toMatchObject({ serving: 0, ended: true });
    expect(customers).toHaveLength(4);
    expect(await queues.admittedIn(saleId)).toEqual([]);
  });

  it.each(['ENDED', 'CANCELLED'] as const)('ends when the sale is %s', async (state) => {
    const { saleId } = await queue(2, 4, { state });
    await admit();
    expect(await queues.queueOf(saleId)).toMatchObject({ serving: 0, ended: true });
  });

  it('is by one process at a time, and by another once its lease is over', async () => {
    const { saleId } = await queue(2, 4);
    await admit();
    (fake.units.get(saleId) as { allocated: number }).allocated = 3;
    await admitBeside();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2]);
    await queues.endLease(saleId);
    await admitBeside();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2, 3]);
  });

  it('is left to the process that took the lease meanwhile', async () => {
    const { saleId } = await queue(2, 4);
    fake.beforeStock(async () => {
      fake.beforeStock(async () => {});
      await queues.endLease(saleId);
      await admitBeside();
    });
    await admit();
    expect(await queues.admittedIn(saleId)).toEqual([1, 2]);
  });

  it('never exceeds the bound by two processes, while customers hold and lose their units', async () => {
    const { saleId, customers } = await queue(30, 300);
    const open: NewOrder[] = [];
    let isOver = false;
    const admitting = [admit, admitBeside].map(async (turn) => {
      while (!isOver) {
        await queues.endLease(saleId);
        await turn();
      }
    });
    // Whoever loses a unit stays admitted: so holders and the other admitted together never exceed it.
    const counts: number[] = [];
    for (let n = 0; n < 90; n++) {
      const order = orderIn(saleId, customers[n % 45]);
      if ((await database.place(order, n)).state === 'placed') {
        (fake.units.get(saleId) as { held: number }).held += 1;
        await change(order, heldFor(minuteMs));
        open.push(order);
      }
      if (n % 3 === 2 || open.length > 20) await release(saleId, open.shift() as NewOrder);
      counts.push((await queues.admittedIn(saleId)).length);
    }
    isOver = true;
    await Promise.all(admitting);
    expect(Math.max(...counts)).toBeLessThanOrEqual(openAdmissionsMax(30));
    const { serving } = await queues.queueOf(saleId);
    expect(await queues.admittedIn(saleId)).toEqual(upTo(serving));
  });
});
