import type { Reader } from '../databases/clients.js';
import { itemsSince } from './changed-orders.js';
import {
  type Finding,
  type Invariant,
  type OffendingRow,
  periodOf,
  type Readers,
  type Scope,
  suspectsMax,
} from './invariant.js';
import { pages } from './pages.js';
import { hasValue } from './sale-order-invariants.js';

/** The invariant between lines of orders at the regular price and sales that do not allow any, in two databases. */
export const soldOnlyInvariants: Invariant[] = [
  {
    name: 'no line at the regular price was decided while its offer was sold only in a sale',
    key: ['customer_id', 'id'],
    excuses: false,
    check: linesAtRegularPrices,
  },
];

/** An offer, and when it was sold only in a sale. */
interface SoldOnly {
  readonly offer_id: string;
  /** `tstzmultirange` */
  readonly times: string;
}
/** Lines of orders that are checked together: a condition on `i`, with at most one parameter. */
interface Part {
  readonly where: string;
  readonly values: readonly string[];
  readonly soldOnly: readonly SoldOnly[];
}

/** Of 2,000 offers each, which are in memory. For each so many sales all lines of orders are read once. */
const salesMax = 20;

async function linesAtRegularPrices({ order, shop }: Readers, scope: Scope): Promise<Finding> {
  let rows = 0;
  const offending: OffendingRow[] = [];
  const parts = scope.of === 'all' ? partsOfSales(shop) : partOf(order, shop, scope);
  for await (const part of parts) {
    if (part.soldOnly.length === 0) continue;
    const { rows: found } = await order.query<Finding>(linesSql(part), [
      ...part.values,
      JSON.stringify(part.soldOnly),
    ]);
    const [checked] = found as [Finding];
    rows += checked.rows;
    offending.push(...checked.offending.slice(0, suspectsMax - offending.length));
  }
  return { rows, offending, excused: [] };
}

async function* partsOfSales(shop: Reader): AsyncGenerator<Part> {
  const salesSql = (only: string) =>
    `select distinct sale_id as id from sale_offer
     where when_sold_out = 'SOLD_OUT' and ${only} order by sale_id`;
  for await (const page of pages<{ id: string }>(shop, 'sale_id', salesSql, null)) {
    for (let at = 0; at < page.length; at += salesMax) {
      const ids = page.slice(at, at + salesMax).map(({ id }) => id);
      const soldOnly = await readSoldOnly(shop, 'sale_id', ids);
      yield { where: 'i.offer_id in (select offer_id from sold_only)', values: [], soldOnly };
    }
  }
}

async function* partOf(
  order: Reader,
  shop: Reader,
  scope: Exclude<Scope, { of: 'all' }>,
): AsyncGenerator<Part> {
  const keys =
    scope.of === 'changed'
      ? itemsSince(periodOf(scope, 'order'))
      : 'select * from jsonb_to_recordset($1) as suspect (customer_id uuid, id uuid)';
  const where = `(i.customer_id, i.id) in (${keys})`;
  const values = scope.of === 'rows' ? [JSON.stringify(scope.rows)] : [];
  const { rows } = await order.query<{ id: string }>(
    `select distinct i.offer_id as id from order_item i where ${where} and not ${hasValue('i.sale_id')}`,
    values,
  );
  const offerIds = rows.map(({ id }) => id);
  yield { where, values, soldOnly: await readSoldOnly(shop, 'offer_id', offerIds) };
}

/**
 * While sales were live. A publication and a resumption are visible some time after the time that is stored with them,
 * at most as long as a transaction lasts; until then regular lines are decided as before. A pause, a cancellation and an
 * end begin when they are visible, or before, when regular lines are still refused.
 */
async function readSoldOnly(
  shop: Reader,
  column: 'sale_id' | 'offer_id',
  ids: readonly string[],
): Promise<SoldOnly[]> {
  if (ids.length === 0) return [];
  const { rows } = await shop.query<SoldOnly>(
    `with sold_only as (
       select s.sale_id, s.offer_id,
         greatest(e.starts_at, e.published_at + interval '10 s') as since,
         least(e.ends_at, e.cancelled_at) as until
       from sale_offer s join sale_event e on e.id = s.sale_id and e.published_at is not null
       where s.${column} = any($1::uuid[]) and s.when_sold_out = 'SOLD_OUT')
     select offer_id, (tstzmultirange(tstzrange(since, until)) - coalesce((
         select range_agg(tstzrange(paused_at, resumed_at + interval '10 s'))
         from sale_pause p where p.sale_id = sold_only.sale_id), '{}'))::text as times
     from sold_only where since < until`,
    [ids],
  );
  return rows;
}

const linesSql = ({ where, values }: Part) => `
  with sold_only as materialized (
    select * from jsonb_to_recordset($${values.length + 1}) as t (offer_id uuid, times tstzmultirange)
  ), checked as (
    select i.customer_id, i.id, i.offer_id, i.decided_at from order_item i
    where ${where} and not ${hasValue('i.sale_id')} and ${hasValue('i.decided_at')}
  )
  select (select count(*) from checked)::int as "rows", coalesce((
    select jsonb_agg(to_jsonb(bad)) from (
      select c.*, t.times from checked c join sold_only t
        on t.offer_id = c.offer_id and t.times @> c.decided_at
      limit ${suspectsMax}) bad), '[]') as offending`;
