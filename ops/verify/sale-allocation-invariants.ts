import { isoSql } from '../../subgraphs/shop/sale-window/sale-sql.js';
import type { Reader } from '../databases/clients.js';
import {
  type Finding,
  type Invariant,
  madeIn,
  type OffendingRow,
  periodOf,
  type Readers,
  type Scope,
  setIn,
  suspectsMax,
} from './invariant.js';
import { pages } from './pages.js';

/** The invariant between the sales of shop and what the warehouse has allocated to them. */
export const saleAllocationInvariants: Invariant[] = [
  {
    name: 'the warehouse has allocated to each sale what shop has, until the same end',
    key: ['id'],
    excuses: true,
    check: allocationsOfSales,
  },
];

interface Sale {
  readonly id: string;
  readonly isChanging: boolean;
  readonly end: string;
  /** units by shop and SKU; none of a sale that is to have nothing set aside */
  readonly lines: Readonly<Record<string, number>>;
}

/** What the warehouse has of an item of a sale. */
interface Item {
  readonly allocated: number;
  /** whether units are set aside for it */
  readonly isIn: boolean;
  readonly ends: readonly string[];
}

/** Of 2,000 lines each, which are in memory. */
const salesMax = 20;

async function allocationsOfSales(
  { shop, warehouse }: Readers,
  scope: Scope,
  atRest: boolean,
): Promise<Finding> {
  let rows = 0;
  const [offending, excused]: [OffendingRow[], OffendingRow[]] = [[], []];
  const changed = await changedIds({ shop, warehouse }, scope);
  for await (const page of pages<{ id: string }>(shop, 'id', idsSql, changed)) {
    rows += page.length;
    for (let at = 0; at < page.length; at += salesMax) {
      const ids = page.slice(at, at + salesMax).map(({ id }) => id);
      const { rows: sales } = await shop.query<Sale>(salesSql, [ids]);
      const { rows: allocated } = await warehouse.query<AllocatedRow>(itemsSql, [ids]);
      const itemsOf = new Map(allocated.map(({ id, items }) => [id, items]));
      for (const sale of sales) {
        const items = itemsOf.get(sale.id) ?? {};
        if (agree(sale, items)) continue;
        const isExcused = sale.isChanging && !atRest;
        const found = isExcused ? excused : offending;
        const differing = isExcused ? {} : { sale, items };
        if (found.length < suspectsMax) found.push({ id: sale.id, ...differing });
      }
    }
  }
  return { rows, offending, excused };
}

type AllocatedRow = { readonly id: string; readonly items: Readonly<Record<string, Item>> };

function agree({ lines, end }: Sale, items: Readonly<Record<string, Item>>): boolean {
  const keys = [...new Set([...Object.keys(lines), ...Object.keys(items)])];
  return keys.every((key) => {
    const [units, item] = [lines[key], items[key]];
    if (units === undefined) return !item?.isIn;
    return units === (item?.allocated ?? 0) && (item?.ends ?? []).every((each) => each === end);
  });
}

const idsSql = (only: string) => `select id from sale_event where ${only} order by id`;

const salesSql = `
  select e.id, e.step is not null as "isChanging", ${isoSql('e.ends_at')} as end, coalesce((
      select jsonb_object_agg(o.shop_id || ' ' || o.sku, s.allocation)
      from sale_offer s join offer o on o.id = s.offer_id
      where s.sale_id = e.id and e.status in ('PUBLISHED', 'PAUSED')), '{}') as lines
  from sale_event e where e.id = any($1::uuid[])`;

/** An item that the sale gave back, or that another sale has since, keeps what this one held and sold. */
const itemsSql = `
  select s.sale_id as id, jsonb_object_agg(s.shop_id || ' ' || s.sku, jsonb_build_object(
      'allocated', s.allocated, 'isIn', i.sale_id is not null, 'ends', array_remove(
        array[${isoSql('a.ends_at')}, ${isoSql('i.set_aside_until')}], null))) as items
  from sale_item s
    left join sale_allocation a on a.shop_id = s.shop_id and a.sale_id = s.sale_id
    left join stock_item i on i.shop_id = s.shop_id and i.sku = s.sku and i.sale_id = s.sale_id
  where s.sale_id = any($1::uuid[]) group by s.sale_id`;

/** The publication and the end of a sale have an event of each offer; each allocation is dated. */
async function changedIds(
  { shop, warehouse }: { readonly shop: Reader; readonly warehouse: Reader },
  scope: Scope,
): Promise<string[] | null> {
  if (scope.of === 'all') return null;
  if (scope.of === 'rows') return scope.rows.map(({ id }) => id as string);
  const [changed, allocated] = await Promise.all([
    shop.query<{ id: string }>(
      `select distinct s.sale_id as id from outbox join sale_offer s on s.offer_id = key::uuid
       where topic = 'shop.offer.changed' and ${madeIn(periodOf(scope, 'shop'), 'outbox.id')}`,
    ),
    warehouse.query<{ id: string }>(
      `select distinct sale_id as id from sale_allocation
       where ${setIn(periodOf(scope, 'warehouse'), 'updated_at')}`,
    ),
  ]);
  return [...new Set([...changed.rows, ...allocated.rows].map(({ id }) => id))];
}
