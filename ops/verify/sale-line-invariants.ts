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

/** The invariant between lines of orders and the sales that they were bought in, in two databases. */
export const saleLineInvariants: Invariant[] = [
  {
    name: 'a line of a sale was decided in its window, and has its price',
    key: ['customer_id', 'id'],
    excuses: false,
    check: linesOfSales,
  },
];

/** Lines of orders that are checked together: a condition on `i`, with at most one parameter. */
interface Part {
  readonly where: string;
  readonly values: readonly string[];
}

/**
 * A price never changes after the start, and an end that becomes earlier is still after the commit of that change
 * (`earlierEnd` in `subgraphs/shop/sale-change/finish-step.ts`). So each line fits what the sale is now. A line of a
 * sale or an offer that shop does not have offends too.
 */
async function linesOfSales({ order, shop }: Readers, scope: Scope): Promise<Finding> {
  let rows = 0;
  const offending: OffendingRow[] = [];
  for await (const part of partsOf(order, scope)) {
    const { rows: bought } = await order.query<object>(
      `select distinct i.sale_id, i.offer_id from order_item i where ${part.where}`,
      [...part.values],
    );
    if (bought.length === 0) continue;
    const { rows: terms } = await shop.query<object>(termsSql, [JSON.stringify(bought)]);
    const { rows: found } = await order.query<Finding>(linesSql(part), [
      ...part.values,
      JSON.stringify(terms),
    ]);
    const [checked] = found as [Finding];
    rows += checked.rows;
    offending.push(...checked.offending.slice(0, suspectsMax - offending.length));
  }
  return { rows, offending, excused: [] };
}

/** All lines are read sale by sale, so that the terms of one sale, of 2,000 offers at most, are in memory. */
async function* partsOf(order: Reader, scope: Scope): AsyncGenerator<Part> {
  if (scope.of === 'all') {
    for await (const page of salesOf(order))
      for (const { id } of page) yield { where: 'i.sale_id = $1', values: [id] };
    return;
  }
  const changed = scope.of === 'changed' && itemsSince(periodOf(scope, 'order'));
  const suspects = 'select * from jsonb_to_recordset($1) as suspect (customer_id uuid, id uuid)';
  yield {
    where: `(i.customer_id, i.id) in (${changed || suspects}) and ${hasValue('i.sale_id')}`,
    values: scope.of === 'rows' ? [JSON.stringify(scope.rows)] : [],
  };
}

/** Sales with lines. By the index `order_item_sale`. */
const salesOf = (order: Reader) =>
  pages<{ id: string }>(
    order,
    'sale_id',
    (only) => `select distinct sale_id as id from order_item where ${only} order by sale_id`,
    null,
  );

const termsSql = `
  select s.sale_id, s.offer_id, s.price_amount::text as price, e.starts_at, e.ends_at
  from jsonb_to_recordset($1) as bought (sale_id uuid, offer_id uuid)
    join sale_offer s using (sale_id, offer_id)
    join sale_event e on e.id = s.sale_id and e.published_at is not null`;

const linesSql = ({ where, values }: Part) => `
  with terms as materialized (
    select * from jsonb_to_recordset($${values.length + 1}) as t
      (sale_id uuid, offer_id uuid, price numeric, starts_at timestamptz, ends_at timestamptz)
  ), checked as (
    select i.customer_id, i.id, i.sale_id, i.offer_id, i.decided_at, i.unit_price_amount,
      t.starts_at, t.ends_at, t.price
    from order_item i left join terms t on t.sale_id = i.sale_id and t.offer_id = i.offer_id
    where ${where}
  )
  select (select count(*) from checked)::int as "rows", coalesce((
    select jsonb_agg(to_jsonb(bad)) from (
      select * from checked where not coalesce(
        decided_at >= starts_at and decided_at < ends_at and unit_price_amount = price, false)
      limit ${suspectsMax}) bad), '[]') as offending`;
