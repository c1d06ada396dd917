import pg from 'pg';
import type { SandboxPayment } from '../../../dev/payment-sandbox/store/records.js';
import type { DatabaseUrls } from '../../../ops/databases/urls.js';
import type { Books } from '../sale/books.js';
import type { Stock } from '../sale/store.js';

const soldOrders = `select o.id, round(o.total_amount * 100)::int as "totalCents",
    json_agg(json_build_object('sku', array_position($1::text[], i.sku::text) - 1, 'quantity', i.quantity)) as lines,
    (select min(p.updated_at) from payment p where p.order_id = o.id and p.status = 'COMPLETED') as sold_at
  from customer_order o
  join shop_order s on s.order_id = o.id and s.status <> 'CANCELLED'
  join order_item i on i.shop_order_id = s.id
  where o.status not in ('PENDING', 'CANCELLED') and i.sku = any($1)
  group by o.id, o.total_amount order by sold_at`;
const unsold = `select coalesce(sum(on_hand - committed), 0)::int as unsold,
    (select coalesce(sum(available), 0)::int from stock_item where shop_id = $1 and sku = any($2)) as available
  from stock_level where shop_id = $1 and sku = any($2)`;
const elsewhere = `select sku, warehouse_id as "warehouseId", on_hand as units from stock_level
  where shop_id = $1 and sku = any($2) and warehouse_id <> $3 and on_hand > 0`;
const held = `select count(*)::int as count from reservation where state = 'HELD'`;
const expired = `select count(distinct o.id)::int as count from customer_order o
  join shop_order s on s.order_id = o.id join order_item i on i.shop_order_id = s.id
  where o.cancel_reason = 'PAYMENT_TIMEOUT' and i.sku = any($1)`;

interface Elsewhere {
  readonly sku: string;
  readonly warehouseId: string;
  readonly units: number;
}

/** Reads the sale in the databases, and in the books of the payment sandbox. */
export async function openBooks(
  databases: DatabaseUrls,
  sandboxUrl: string,
  { shopId, skus }: { readonly shopId: string; readonly skus: readonly string[] },
) {
  const [order, warehouse] = [databases.order, databases.warehouse].map(
    (url) => new pg.Client({ connectionString: url }),
  ) as [pg.Client, pg.Client];
  await Promise.all([order.connect(), warehouse.connect()]);
  return {
    readStock: async (): Promise<Stock> =>
      (await warehouse.query({ name: 'unsold', text: unsold, values: [shopId, skus] })).rows[0],
    /** the units in other warehouses of the shop than this one */
    readElsewhere: async (warehouseId: string): Promise<Elsewhere[]> =>
      (await warehouse.query(elsewhere, [shopId, skus, warehouseId])).rows,
    countHeld: async (): Promise<number> => (await warehouse.query(held)).rows[0].count,
    countExpired: async (): Promise<number> => (await order.query(expired, [skus])).rows[0].count,
    async read(): Promise<Books> {
      const { rows: orders } = await order.query(soldOrders, [skus]);
      const { rows: others } = await order.query(
        `select distinct p.id from payment p join shop_order s on s.order_id = p.order_id
         join order_item i on i.shop_order_id = s.id where not i.sku = any($1)`,
        [skus],
      );
      const { rows: payments } = await order.query('select id, order_id as "orderId" from payment');
      const orderOf = new Map<string, string>(payments.map(({ id, orderId }) => [id, orderId]));
      const isOther = new Set<string>(others.map(({ id }) => id));
      const records = (await (
        await fetch(`${sandboxUrl}/admin/payments`)
      ).json()) as SandboxPayment[];
      const charges = records
        .filter(({ key, status }) => status === 'captured' && !isOther.has(key))
        .map((payment) => ({
          orderId: orderOf.get(payment.key) ?? null,
          cents: chargedCents(payment),
        }));
      return { orders, charges };
    },
    end: () => Promise.all([order.end(), warehouse.end()]),
  };
}

const centsOf = (amount: string) => Math.round(Number(amount) * 100);

function chargedCents({ amount, refunds }: SandboxPayment): number {
  const returned = refunds.filter(({ status }) => status !== 'failed');
  return returned.reduce((cents, refund) => cents - centsOf(refund.amount), centsOf(amount));
}
