import type { Sale } from './sale/hold-sale.js';

/** A sale that went as it should, with what a test changes. */
export const exampleSale = (changes: Partial<Sale> = {}): Sale => ({
  store: 'Holdfast',
  seconds: 10,
  endings: new Map([
    ['paid', 100],
    ['refused', 300],
  ]),
  failed: 0,
  firstError: '',
  expired: 7,
  lateMs: [0.2],
  delayed: 0,
  waitsMs: new Map([
    ['checkout', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['refusal', [10]],
    ['payment', [100]],
  ]),
  cpuMs: { router: 1000, postgres: 3000 },
  stock: [
    { seconds: 0, unsold: 200, available: 200 },
    { seconds: 5, unsold: 50, available: 0 },
    { seconds: 10, unsold: 20, available: 20 },
  ],
  balance: {
    ...{ ordersWithGoods: 100, unitsSold: 180 },
    ...{ unitsOversold: 0, chargedWithoutGoods: 0, overcharged: 0 },
  },
  ...changes,
});
