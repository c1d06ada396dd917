import { eventually } from '../../../../tests/harness/wait.js';
import type { PublishedSaleState, SaleSummary } from '../../../contracts/shop.js';
import { tryAgain } from '../../../shared/errors.js';
import { newId } from '../../../shared/ids.js';
import { createLogger } from '../../../shared/observability/logger.js';
import type { QueueNumbers } from '../queue-numbers.js';
import { createSaleFeeds, type LiveReads, type SaleFeeds } from './sale-feeds.js';
import type { SaleSnapshot } from './sale-snapshot.js';

const logger = createLogger('test', 'silent');
const feedsMax = 200;

/** Shop and warehouse in memory, with one offer in each sale. */
function fakeSales() {
  const sales = new Map<string, SaleSummary>();
  const units = new Map<string, { allocated: number; held: number; sold: number }>();
  const calls = {
    sales: [] as (readonly string[])[],
    stock: [] as (readonly string[])[],
    queues: [] as (readonly string[])[],
  };
  const faults = { sales: false, stock: false };
  const queues = new Map<string, QueueNumbers>();
  const reads: LiveReads = {
    async queues(ids) {
      calls.queues.push(ids);
      return new Map(
        ids.flatMap((id) => (queues.has(id) ? [[id, queues.get(id) as QueueNumbers]] : [])),
      );
    },
    async sales(ids) {
      calls.sales.push(ids);
      if (faults.sales) throw tryAgain('shop does not answer');
      const decidedAt = new Date().toISOString();
      const found = ids.flatMap((id) => sales.get(id) ?? []);
      return new Map(found.map((sale) => [sale.id, { ...sale, decidedAt }]));
    },
    async stock(ids) {
      calls.stock.push(ids);
      if (faults.stock) throw tryAgain('warehouse does not answer');
      return new Map(
        ids.map((id) => {
          const line = units.get(id) ?? { allocated: 0, held: 0, sold: 0 };
          const remaining = line.allocated - line.held - line.sold;
          return [id, [{ shopId: id, sku: 'S', ...line, remaining }]];
        }),
      );
    },
  };
  return {
    ...{ reads, calls, faults, units, queues },
    /** Makes a sale of 10 units that starts and ends so many seconds from now. */
    add(state: PublishedSaleState, fromS: number, toS: number): string {
      const id = newId();
      const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
      sales.set(id, {
        ...{ id, state, startsAt: at(fromS), endsAt: at(toS), decidedAt: at(0) },
        ...{ admission: 'OPEN', eligibility: 'ANYONE', accountBefore: null },
        ...{ admissionMinutes: 5, admissionsPerMinute: null, pausedMs: 0, isPaused: false },
        ...{
          shops: [{ shopId: id, ownerId: id }],
          offers: [{ offerId: id, shopId: id, sku: 'S' }],
        },
      });
      units.set(id, { allocated: 10, held: 0, sold: 0 });
      return id;
    },
    change(id: string, changed: Partial<SaleSummary>): void {
      sales.set(id, { ...(sales.get(id) as SaleSummary), ...changed });
    },
  };
}

describe('the feeds of sales', () => {
  let fake: ReturnType<typeof fakeSales>;
  let feeds: SaleFeeds;
  const open: AsyncIterableIterator<SaleSnapshot>[] = [];
  beforeEach(() => {
    fake = fakeSales();
    feeds = createSaleFeeds(fake.reads, logger, feedsMax);
  });
  afterEach(async () => {
    for (const feed of open.splice(0)) await feed.return?.();
    await feeds.stop();
  });

  async function watch(id: string): Promise<SaleSnapshot[]> {
    const feed = await feeds.open(id);
    open.push(feed);
    const seen: SaleSnapshot[] = [];
    void (async () => {
      for await (const snapshot of feed) seen.push(snapshot);
    })();
    return seen;
  }
  const until = (seen: readonly SaleSnapshot[], isReached: (last: SaleSnapshot) => boolean) =>
    eventually(
      async () => seen.at(-1),
      (last) => last !== undefined && isReached(last),
    );
  const remainingOf = ({ offers }: SaleSnapshot) => offers[0]?.remaining;

  it('begin with what there is, and follow what is held, given back and sold', async () => {
    const id = fake.add('LIVE', -1, 60);
    const seen = await watch(id);
    await until(seen, (last) => remainingOf(last) === 10);
    fake.units.set(id, { allocated: 10, held: 6, sold: 4 });
    await until(seen, (last) => remainingOf(last) === 0);
    expect(seen.at(-1)?.offers[0]?.soldOut).toBe(false);
    fake.units.set(id, { allocated: 10, held: 5, sold: 4 });
    await until(seen, (last) => remainingOf(last) === 1);
    fake.units.set(id, { allocated: 10, held: 0, sold: 10 });
    await until(seen, (last) => last.offers[0]?.soldOut === true);
    const versions = seen.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
  });

  it('follow the clock over start and end, also while shop and warehouse do not answer', async () => {
    const id = fake.add('SCHEDULED', 0.6, 1.2);
    const seen = await watch(id);
    await until(seen, ({ state }) => state === 'SCHEDULED');
    fake.faults.sales = true;
    fake.faults.stock = true;
    await until(seen, ({ state }) => state === 'ENDED');
    expect(seen.map(({ state }) => state)).toEqual(['SCHEDULED', 'LIVE', 'ENDED']);
    expect(seen.map(remainingOf)).toEqual([10, 10, 0]);
    for (const { state, startsAt, endsAt, atMs } of seen) {
      expect([state, atMs >= Date.parse(startsAt), atMs >= Date.parse(endsAt)]).toEqual([
        state,
        state !== 'SCHEDULED',
        state === 'ENDED',
      ]);
    }
  });

  it('learn that a sale is paused or cancelled, or ends earlier', async () => {
    const id = fake.add('LIVE', -1, 60);
    const seen = await watch(id);
    const endsAt = new Date(Date.now() + 30_000).toISOString();
    fake.change(id, { endsAt });
    await until(seen, (last) => last.endsAt === endsAt);
    fake.change(id, { state: 'PAUSED' });
    await until(seen, ({ state }) => state === 'PAUSED');
    fake.change(id, { state: 'CANCELLED' });
    await until(seen, ({ state }) => state === 'CANCELLED');
    expect(remainingOf(seen.at(-1) as SaleSnapshot)).toBe(0);
  });

  it('of all sales and subscribers share one look, and nothing is read without any', async () => {
    const ids = [fake.add('LIVE', -1, 60), fake.add('PAUSED', -1, 60)];
    const seen = await Promise.all(
      Array.from({ length: feedsMax }, (_, n) => watch(ids[n % 2] as string)),
    );
    await Promise.all(seen.map((each) => until(each, () => true)));
    // Those who came in the same moment were read for together.
    expect([fake.calls.sales.length, fake.calls.stock.length]).toEqual([2, 2]);
    fake.calls.stock.length = 0;
    await eventually(
      async () => fake.calls.stock.length,
      (looks) => looks >= 3,
    );
    for (const look of fake.calls.stock) expect(look.toSorted()).toEqual(ids.toSorted());
    for (const feed of open.splice(0)) await feed.return?.();
    expect(feeds.count()).toBe(0);
    const looks = async () => fake.calls.stock.length + fake.calls.sales.length;
    await eventually(
      async () => {
        const before = await looks();
        await new Promise((resolve) => setTimeout(resolve, 600));
        return (await looks()) - before;
      },
      (more) => more === 0,
    );
  });

  it('are refused for unknown sales and beyond their number, and leave nothing', async () => {
    await expect(feeds.open(newId())).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
    fake.faults.stock = true;
    const id = fake.add('LIVE', -1, 60);
    await expect(feeds.open(id)).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    expect(feeds.count()).toBe(0);
    fake.faults.stock = false;
    for (let n = 0; n < feedsMax; n++) await watch(id);
    await expect(feeds.open(id)).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
  });

  it('have a later version in a process that takes over than those before', async () => {
    const id = fake.add('LIVE', -1, 60);
    const seen = await watch(id);
    fake.units.set(id, { allocated: 10, held: 0, sold: 1 });
    await until(seen, (last) => remainingOf(last) === 9);
    const before = seen.at(-1) as SaleSnapshot;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const others = createSaleFeeds(fake.reads, logger);
    const feed = await others.open(id);
    const { value } = await feed.next();
    await feed.return?.();
    await others.stop();
    expect(value.version).toBeGreaterThan(before.version);
  });
});
