import type { SoldOrder } from './books.js';
import { holdSale } from './hold-sale.js';
import { readOptions } from './options.js';
import { type Shopper, shelfOf } from './shoppers.js';
import type { Store } from './store.js';

const options = readOptions([
  '--units',
  '100',
  '--skus',
  '2',
  '--shoppers',
  '300',
  '--repeat',
  '0',
]);
const line = { show: () => {}, end: () => {} };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A store in memory. @param takesAtOnce whether it takes units before it waits for anything, and so never oversells */
function storeOf(takesAtOnce: boolean, changes: Partial<Store> = {}): Store {
  const left = shelfOf(options);
  const orders: SoldOrder[] = [];
  const isOnShelf = ({ cart }: Shopper) =>
    cart.every(({ sku, quantity }) => (left[sku] as number) >= quantity);
  const take = ({ cart }: Shopper, sign: 1 | -1) => {
    for (const { sku, quantity } of cart) left[sku] = (left[sku] as number) - sign * quantity;
  };
  return {
    ...{ name: 'memory', processIds: { bench: process.pid } },
    async sell(shopper, { arrivedMs, waited }) {
      const hasStock = isOnShelf(shopper);
      waited(hasStock ? 'checkout' : 'refusal', arrivedMs);
      if (!hasStock) return 'refused';
      if (takesAtOnce) take(shopper, 1);
      await turn();
      if (shopper.intention !== 'pay') {
        if (takesAtOnce) take(shopper, -1);
        return 'cancelled';
      }
      if (!takesAtOnce) take(shopper, 1);
      const units = shopper.cart.reduce((sum, { quantity }) => sum + quantity, 0);
      orders.push({ id: `${shopper.number}`, lines: shopper.cart, totalCents: units * 100 });
      return 'paid';
    },
    async readStock() {
      const unsold = left.reduce((sum, units) => sum + units, 0);
      return { unsold, available: Math.max(0, unsold) };
    },
    delayed: () => 0,
    settle: async () => 4,
    async readBooks() {
      const charges = orders.map(({ id, totalCents }) => ({ orderId: id, cents: totalCents }));
      return { orders, charges };
    },
    close: async () => {},
    ...changes,
  };
}

describe('a flash sale', () => {
  it('counts how each shopper left, and balances what was sold with the shelf', async () => {
    const sale = await holdSale(storeOf(true), options, line);
    const count = (ending: 'paid' | 'cancelled' | 'refused') => sale.endings.get(ending) ?? 0;
    expect(count('paid') + count('cancelled') + count('refused')).toBe(options.shoppers);
    expect(sale.waitsMs.get('refusal')).toHaveLength(count('refused'));
    expect(sale.waitsMs.get('checkout')).toHaveLength(count('paid') + count('cancelled'));
    expect(sale).toMatchObject({ failed: 0, expired: 4 });
    const { balance, stock } = sale;
    expect(balance).toMatchObject({ unitsOversold: 0, chargedWithoutGoods: 0 });
    expect(balance.ordersWithGoods).toBe(count('paid'));
    expect(stock.at(0)).toMatchObject({ unsold: options.units });
    expect(stock.at(-1)?.unsold).toBe(options.units - balance.unitsSold);
  });

  it('finds out that a store oversells which looks at its stock before it takes it', async () => {
    const { balance, stock, endings } = await holdSale(storeOf(false), options, line);
    expect(balance.unitsOversold).toBeGreaterThan(0);
    expect(balance.chargedWithoutGoods).toBeGreaterThan(0);
    expect(balance.ordersWithGoods + balance.chargedWithoutGoods).toBe(endings.get('paid'));
    expect(stock.at(-1)?.unsold).toBe(options.units - balance.unitsSold);
  });

  it('counts shoppers who got an error, and keeps the first one', async () => {
    const sell = async ({ number }: Shopper) => {
      if (number < 3) throw new Error(`no answer for ${number}`);
      return 'refused' as const;
    };
    const sale = await holdSale(storeOf(true, { sell }), options, line);
    expect(sale).toMatchObject({ failed: 3, firstError: 'Error: no answer for 0' });
    expect(sale.endings.get('refused')).toBe(options.shoppers - 3);
  });
});
