import type { OfferForSale, SaleTerms } from '../../subgraphs/contracts/shop.js';
import { createCheckoutWrites } from '../../subgraphs/order/checkout/checkout-writes.js';
import type { NewOrder, OrderLine } from '../../subgraphs/order/checkout/new-order.js';
import type { PlacingLimits } from '../../subgraphs/order/checkout/place-order.js';
import { databaseSchema } from '../../subgraphs/order/mikro-orm.config.js';
import { connect } from '../../subgraphs/shared/database/connect.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { openTestDatabase } from './databases.js';

export const defaultLimits: PlacingLimits = {
  openOrdersMax: 3,
  openUnitsMax: 20,
  addressBuyersMax: 3,
};

const shippingAddress = {
  ...{ recipient: 'A', street: '1 Main St', city: 'B', zip: '1', country: 'US' },
};

/** The order database, and two processes that place orders in it. */
export async function openPlacing(limits = defaultLimits) {
  const database = await openTestDatabase('order', databaseSchema, { poolMax: 8 });
  const other = await connect({ name: 'other', url: database.url, poolMax: 8 }, databaseSchema);
  const processes = [database.orm, other].map(({ em }) => createCheckoutWrites(em, limits));
  const rows = async <T extends object>(text: string, values: unknown[] = []) =>
    (await database.client.query<T>(text, values)).rows;
  return {
    ...database,
    writes: processes[0] as (typeof processes)[0],
    /** Places an order in one of the processes, in turn. */
    place: (order: NewOrder, n = 0) =>
      (processes[n % processes.length] as (typeof processes)[0]).place(order),
    rows,
    async heldBy(customerId: string) {
      const [row] = await rows<{ orders: number; units: Record<string, number> }>(
        `select open_orders as orders, open_units as units from customer_hold where customer_id = $1`,
        [customerId],
      );
      return row ?? { orders: 0, units: {} };
    },
    /** What the counters of a customer should be: from the PENDING orders. */
    async pendingOf(customerId: string) {
      const lines = await rows<{ id: string; offer: string; units: number }>(
        `select o.id, i.offer_id as offer, sum(i.quantity)::int as units from customer_order o
         join shop_order s on s.order_id = o.id join order_item i on i.shop_order_id = s.id
         where o.customer_id = $1 and o.status = 'PENDING' group by 1, 2`,
        [customerId],
      );
      const units: Record<string, number> = {};
      for (const line of lines) units[line.offer] = (units[line.offer] ?? 0) + line.units;
      return { orders: new Set(lines.map(({ id }) => id)).size, units };
    },
    async close() {
      await other.close();
      await database.close();
    },
  };
}
export type PlacingDatabase = Awaited<ReturnType<typeof openPlacing>>;

let skus = 0;

export function offerOf(given: Partial<OfferForSale> = {}): OfferForSale {
  return {
    id: newId(),
    shopId: newId(),
    sku: `SKU-${skus++}`,
    name: 'It',
    priceAmount: '10.00',
    currencyCode: 'USD',
    purchaseLimit: null,
    active: true,
    holdLimit: null,
    sale: null,
    decidedAt: new Date().toISOString(),
    ...given,
  };
}

/** A sale that is LIVE. */
export function saleTermsOf(given: Partial<SaleTerms> = {}): SaleTerms {
  return {
    id: newId(),
    state: 'LIVE',
    priceAmount: '7.00',
    limitPerCustomer: null,
    startsAt: new Date(Date.now() - 60_000).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    holdMinutes: null,
    admission: 'OPEN',
    admissionMinutes: 5,
    admissionsPerMinute: null,
    pausedMs: 0,
    eligibility: 'ANYONE',
    accountBefore: null,
    whenSoldOut: 'REGULAR_PRICE',
    ...given,
  };
}

export function orderOf(
  customerId: string,
  lines: readonly OrderLine[],
  given: Partial<NewOrder> = {},
) {
  return { id: newId(), customerId, shippingAddress, lines, ...given } satisfies NewOrder;
}
