import type { CartLine } from './shoppers.js';

/** An order that the store owes, or has delivered. */
export interface SoldOrder {
  readonly id: string;
  readonly lines: readonly CartLine[];
  readonly totalCents: number;
}

/** Money that a customer paid for an order, after refunds. */
export interface Charge {
  /** null if the store has no order for it */
  readonly orderId: string | null;
  readonly cents: number;
}

/** What a store's database and its payment provider say after the sale. */
export interface Books {
  /** in the order in which they were sold */
  readonly orders: readonly SoldOrder[];
  readonly charges: readonly Charge[];
}

export interface Balance {
  /** orders sold whose units are on the shelf */
  readonly ordersWithGoods: number;
  readonly unitsSold: number;
  /** units sold that were never on the shelf */
  readonly unitsOversold: number;
  /** customers who paid for an order that was not sold to them, or whose units are not on the shelf */
  readonly chargedWithoutGoods: number;
  /** customers who paid more than their order costs */
  readonly overcharged: number;
}

/**
 * Compares what was sold and charged with the shelf. Orders get their units in the order in which they were
 * sold; one that does not fit as a whole gets none.
 *
 * @param shelf SKU → its units before the sale
 */
export function balanceOf(shelf: readonly number[], { orders, charges }: Books): Balance {
  const lines = orders.flatMap((order) => order.lines);
  const sold = shelf.map((_, sku) => unitsIn(lines.filter((line) => line.sku === sku)));
  const served = servedFrom(shelf, orders);
  const paidCents = new Map<string, number>();
  for (const { orderId, cents } of charges) {
    if (orderId !== null) paidCents.set(orderId, (paidCents.get(orderId) ?? 0) + cents);
  }
  const paid = [...paidCents].filter(([, cents]) => cents > 0);
  const withoutOrder = charges.filter(({ orderId, cents }) => orderId === null && cents > 0);
  return {
    ordersWithGoods: served.size,
    unitsSold: unitsIn(lines),
    unitsOversold: sold.reduce(
      (sum, units, sku) => sum + Math.max(0, units - (shelf[sku] ?? 0)),
      0,
    ),
    chargedWithoutGoods: paid.filter(([id]) => !served.has(id)).length + withoutOrder.length,
    overcharged: paid.filter(([id, cents]) => cents > (served.get(id) ?? cents)).length,
  };
}

/** Orders that get their units from the shelf → their totals. */
function servedFrom(shelf: readonly number[], orders: readonly SoldOrder[]): Map<string, number> {
  const left = [...shelf];
  const served = new Map<string, number>();
  for (const { id, lines, totalCents } of orders) {
    if (lines.some(({ sku, quantity }) => (left[sku] ?? 0) < quantity)) continue;
    for (const { sku, quantity } of lines) left[sku] = (left[sku] ?? 0) - quantity;
    served.set(id, totalCents);
  }
  return served;
}

const unitsIn = (lines: readonly CartLine[]) =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0);
