import pg from 'pg';
import { publishSale, readStocked } from '../../bench/sales/publish-sale.js';
import { seedStore } from '../../dev/seed/store.js';
import { logIn, type Person } from '../harness/people.js';
import { startSystem, type TestSystem } from '../harness/system.js';
import { eventually } from '../harness/wait.js';
import { openSaleClock, type SaleClock } from './sale-clock.js';

const offerCount = 2000;
const hours = (count: number) => new Date(Date.now() + count * 3_600_000);

describe('a sale of 2,000 offers', () => {
  let system: TestSystem;
  let admin: Person;
  let clock: SaleClock;
  const clients = new Map<string, pg.Client>();
  beforeAll(async () => {
    system = await startSystem();
    await seedStore(system.databases, offerCount);
    admin = await logIn(system, 'ada');
    clock = await openSaleClock(system.databases);
    for (const name of ['shop', 'warehouse', 'product'] as const) {
      const client = new pg.Client({ connectionString: system.databases[name] });
      await client.connect();
      clients.set(name, client);
    }
  }, 240_000);
  afterAll(async () => {
    for (const client of clients.values()) await client.end();
    await clock.close();
    await system.stop();
  }, 60_000);

  async function query<T extends object>(name: string, text: string, values: unknown[] = []) {
    const { rows } = await (clients.get(name) as pg.Client).query<T>(text, values);
    return rows;
  }
  async function mutate(text: string, variables: object) {
    const { data, errors } = await system.graphql(text, variables, admin.token);
    if (errors) throw new Error(JSON.stringify(errors));
    return data.it;
  }
  /** Listings at the price of the sale, and at the regular one. */
  async function listed(saleId: string, ids: readonly string[]) {
    const [row] = await query<{ ofSale: number; regular: number; ended: number }>(
      'product',
      `select count(*) filter (where price_amount = sale_amount)::int as "ofSale",
         count(*) filter (where price_amount = regular_amount)::int as regular,
         count(*) filter (where sale_id is null)::int as ended
       from offer_listing where offer_id = any($2::uuid[]) and (sale_id = $1 or sale_id is null)`,
      [saleId, ids],
    );
    return row as { ofSale: number; regular: number; ended: number };
  }

  it('is published as a whole, and each boundary changes all of its listed prices at once', async () => {
    const [shop, warehouse] = ['shop', 'warehouse'].map((name) => clients.get(name) as pg.Client);
    const ids = await readStocked(shop as pg.Client, warehouse as pg.Client, offerCount);
    expect(ids).toHaveLength(offerCount);
    const times = { startsAt: hours(1), endsAt: hours(2) };
    const { id } = await publishSale(mutate, shop as pg.Client, ids, times, 'all');
    await eventually(
      () => listed(id, ids),
      ({ regular }) => regular === offerCount,
      120_000,
    );
    const fenced = () =>
      query<{ items: number }>(
        'warehouse',
        `select count(*)::int as items from stock_item
         where sale_id = $1 and set_aside = 1 and end_due_at is not null`,
        [id],
      );
    expect(await fenced()).toEqual([{ items: offerCount }]);

    const seen = new Set<number>();
    await clock.start(id, 0);
    await eventually(
      () => listed(id, ids),
      ({ ofSale }) => {
        seen.add(ofSale);
        return ofSale === offerCount;
      },
      60_000,
    );

    await clock.end(id, 0);
    await eventually(
      () => listed(id, ids),
      ({ ended, ofSale }) => {
        seen.add(ofSale);
        return ended === offerCount;
      },
      60_000,
    );
    expect([...seen].filter((count) => count !== 0 && count !== offerCount)).toEqual([]);
    await eventually(fenced, ([row]) => row?.items === 0, 60_000);
    await system.expectInvariants();
  }, 300_000);
});
