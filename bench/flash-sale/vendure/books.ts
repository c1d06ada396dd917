import pg from 'pg';
import type { Books } from '../sale/books.js';
import type { Stock } from '../sale/store.js';

// The SKUs of the sale are numbered from 0, as in populate.js's file.
const skuPattern = '^SALE-[0-9]+$';
const soldOrders = `select o.id::text as id, (o."subTotalWithTax" + o."shippingWithTax")::int as "totalCents",
    json_agg(json_build_object('sku', substr(v.sku, 6)::int, 'quantity', l.quantity)) as lines
  from "order" o
  join order_line l on l."orderId" = o.id and l.quantity > 0
  join product_variant v on v.id = l."productVariantId" and v.sku ~ '${skuPattern}'
  where o.state = 'PaymentSettled'
  group by o.id order by o."orderPlacedAt", o.id`;
const charges = `select p."orderId"::text as "orderId", p.amount::int as cents from payment p
  where p.state = 'Settled' and exists (
    select from order_line l join product_variant v on v.id = l."productVariantId"
    where l."orderId" = p."orderId" and v.sku ~ '${skuPattern}')`;
const available = `select greatest(0, coalesce(sum(s."stockOnHand" - s."stockAllocated"), 0))::int as units
  from stock_level s join product_variant v on v.id = s."productVariantId"
  where v.sku ~ '${skuPattern}'`;
const sold = `select coalesce(sum(l.quantity), 0)::int as units from order_line l
  join "order" o on o.id = l."orderId" and o.state = 'PaymentSettled'
  join product_variant v on v.id = l."productVariantId"
  where v.sku ~ '${skuPattern}'`;

/**
 * Reads the sale in Vendure's database. What is not sold is counted from its orders, as the counters of its
 * stock miss some; charges are the payments that it recorded as settled.
 *
 * @param units on the shelf before the sale
 */
export async function openVendureBooks(databaseUrl: string, units: number) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const unitsOf = async (name: string, text: string): Promise<number> =>
    (await client.query({ name, text })).rows[0].units;
  return {
    readStock: async (): Promise<Stock> => ({
      unsold: units - (await unitsOf('sold', sold)),
      available: await unitsOf('available', available),
    }),
    async read(): Promise<Books> {
      const orders = (await client.query(soldOrders)).rows;
      return { orders, charges: (await client.query(charges)).rows };
    },
    readVariants: async (): Promise<ReadonlyMap<string, string>> =>
      new Map(
        (await client.query('select sku, id::text as id from product_variant')).rows.map(
          ({ sku, id }) => [sku, id],
        ),
      ),
    end: () => client.end(),
  };
}
