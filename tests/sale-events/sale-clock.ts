import pg from 'pg';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { eventually } from '../harness/wait.js';

type Name = 'product' | 'shop' | 'warehouse' | 'order';
const names: readonly Name[] = ['product', 'shop', 'warehouse', 'order'];

/** What has a time of a sale, `$1`; each time is moved to `$2` ms earlier. */
const earlier = (column: string) => `${column} = ${column} - $2::bigint * interval '1 ms'`;
const moves: readonly (readonly [Name, string])[] = [
  ['shop', `update sale_event set ${earlier('starts_at')}, ${earlier('ends_at')} where id = $1`],
  ['warehouse', `update sale_allocation set ${earlier('ends_at')} where sale_id = $1`],
  [
    'warehouse',
    `update stock_item set ${earlier('set_aside_until')}, ${earlier('end_due_at')} where sale_id = $1`,
  ],
  ['order', `update order_item set ${earlier('decided_at')} where sale_id = $1`],
  [
    'product',
    `update offer_listing set ${earlier('sale_starts_at')}, ${earlier('sale_ends_at')},
       ${earlier('sale_due_at')} where sale_id = $1`,
  ],
];

/** Lets time pass for one sale, in all databases: whatever was decided before keeps its place in the window. */
export async function openSaleClock(databases: DatabaseUrls) {
  const clients = new Map<Name, pg.Client>();
  for (const name of names) {
    const client = new pg.Client({ connectionString: databases[name] });
    await client.connect();
    clients.set(name, client);
  }
  const rows = async <T extends object>(of: Name, text: string, values: unknown[] = []) =>
    ((await clients.get(of)?.query<T>(text, values))?.rows ?? []) as T[];
  /** Product may still have to learn of the sale: the event would bring the former times. */
  async function isListed(saleId: string): Promise<void> {
    const [{ count } = { count: 0 }] = await rows<{ count: number }>(
      'shop',
      'select count(*)::int as count from sale_offer where sale_id = $1',
      [saleId],
    );
    const listed = 'select from offer_listing where sale_id = $1';
    await eventually(
      () => rows('product', listed, [saleId]),
      ({ length }) => length === count,
    );
  }
  async function pass(saleId: string, boundary: 'starts_at' | 'ends_at', msAfter: number) {
    const [left] = await rows<{ ms: string }>(
      'shop',
      `select round(extract(epoch from ${boundary} - clock_timestamp()) * 1000) as ms
       from sale_event where id = $1`,
      [saleId],
    );
    const passed = Number(left?.ms) + msAfter;
    for (const [of, text] of moves) await rows(of, text, [saleId, passed]);
  }
  return {
    rows,
    /** A sale that has not started is live, and started so many milliseconds ago. */
    async start(saleId: string, agoMs = 1000): Promise<void> {
      await isListed(saleId);
      await pass(saleId, 'starts_at', agoMs);
    },
    /** A sale that is live ended so many milliseconds ago. */
    end: (saleId: string, agoMs: number) => pass(saleId, 'ends_at', agoMs),
    /** The unpaid hold of an order ends now. */
    expireHold: (orderId: string) =>
      rows(
        'warehouse',
        `update reservation set expires_at = clock_timestamp() - interval '1 s' where order_id = $1`,
        [orderId],
      ),
    /** The units of a sale’s only offer. */
    async unitsOf(saleId: string) {
      const units = 'select allocated, held, sold from sale_item where sale_id = $1';
      return (await rows('warehouse', units, [saleId]))[0];
    },
    close: () => Promise.all([...clients.values()].map((client) => client.end())),
  };
}
export type SaleClock = Awaited<ReturnType<typeof openSaleClock>>;
