import { exampleSale } from './example-sale.js';
import { checksOf, rowsOf } from './outcome.js';
import { readOptions } from './sale/options.js';

const yardstick = { ordersPerSecond: 50, cpuMs: 3 };
const closedLoop = readOptions(['--units', '200']);
const openLoop = readOptions(['--units', '200', '--rate', '10']);
const vendure = exampleSale({
  ...{ store: 'Vendure', seconds: 200, cpuMs: { server: 80_000 } },
  // Half of the orders that were paid cannot be delivered.
  balance: { ...exampleSale().balance, ordersWithGoods: 50 },
});

const missed = (changes: Parameters<typeof exampleSale>[0], options = closedLoop) =>
  checksOf(exampleSale(changes), [], yardstick, options)
    .filter(({ pass }) => !pass)
    .map(({ name }) => name);

describe('the table of a flash sale', () => {
  const rows = rowsOf([exampleSale(), vendure], yardstick);
  const row = (name: string) => rows.find((each) => each.case === name);

  it('has a column for each store, with figures of orders that can be delivered', () => {
    expect(row('orders paid a second')).toMatchObject({ Holdfast: 10, Vendure: 0.5 });
    expect(row('orders with goods a second')).toMatchObject({ Holdfast: 10, Vendure: 0.3 });
    expect(row('CPU ms of an order with goods')).toMatchObject({ Holdfast: 40, Vendure: 1600 });
    expect(row('  postgres')).toEqual({ case: '  postgres', Holdfast: 30 });
    expect(row('  server')).toEqual({ case: '  server', Vendure: 1600 });
    const soldOut = rowsOf(
      [exampleSale(), exampleSale({ store: 'Vendure', waitsMs: new Map() })],
      yardstick,
    );
    expect(soldOut.find((each) => each.case === 'refusal p50 ms')).toEqual({
      ...{ case: 'refusal p50 ms', Holdfast: 10 },
    });
    expect(row('checkout p50 ms')).toMatchObject({ Holdfast: 6, Vendure: 6 });
  });

  it('counts what happened to each shopper', () => {
    expect(row('shoppers served')).toMatchObject({ Holdfast: 400 });
    expect(row('  paid')).toMatchObject({ Holdfast: 100 });
    expect(row('  declined')).toMatchObject({ Holdfast: 0 });
  });
});

describe('the checks of a flash sale', () => {
  it('pass if all units are where they should be and nobody waits for goods', () => {
    expect(missed({})).toEqual([]);
  });

  it.each([
    ['units oversold', { unitsOversold: 1 }],
    ['customers charged without goods', { chargedWithoutGoods: 1 }],
    ['customers charged too much', { overcharged: 1 }],
    ['units sold and unsold', { unitsSold: 179 }],
  ])('miss %p', (name, wrong) => {
    expect(missed({ balance: { ...exampleSale().balance, ...wrong } })).toEqual([name]);
  });

  it('miss a stock that was below zero for a moment, though it was not at the end', () => {
    const [first, , last] = exampleSale().stock;
    const below = { seconds: 5, unsold: 10, available: -1 };
    const stock = [first, below, last].filter((sample) => sample !== undefined);
    expect(missed({ stock })).toEqual(['lowest stock']);
  });

  it('miss a shopper who got an error, and say which', () => {
    const sale = exampleSale({ failed: 1, firstError: 'socket hang up' });
    const check = checksOf(sale, [], yardstick, closedLoop).find(({ pass }) => !pass);
    expect(check).toMatchObject({ name: 'shoppers failed', value: '1: socket hang up' });
  });

  it('compare rate and CPU time with the yardstick, but in an open loop neither', () => {
    const slow = { seconds: 100_000 };
    expect(missed(slow)).toEqual(['shoppers a second, relative to the yardstick']);
    expect(missed(slow, openLoop)).toEqual([]);
    const wasteful = { cpuMs: { postgres: 1_000_000 } };
    expect(missed(wasteful)).toEqual(['PostgreSQL’s CPU of a shopper, relative to the yardstick']);
    expect(missed(wasteful, openLoop)).toEqual([]);
  });

  it('miss an open loop that its own crowd closed, by late shoppers or too few connections', () => {
    expect(missed({ lateMs: [1, 2, 101] }, openLoop)).toEqual([
      'Holdfast: shoppers sent late, p99 ms',
    ]);
    expect(missed({ delayed: 1 }, openLoop)).toEqual([
      'Holdfast: requests that waited for a connection of the crowd',
    ]);
    expect(missed({ delayed: 1 })).toEqual([]);
  });

  it('compare with a peer, and do not check what the peer itself did', () => {
    const oversold = { ...vendure.balance, unitsOversold: 9, chargedWithoutGoods: 4 };
    const checks = checksOf(
      exampleSale(),
      [{ ...vendure, balance: oversold }],
      yardstick,
      closedLoop,
    );
    expect(checks.filter(({ pass }) => !pass)).toEqual([]);
    expect(checks.slice(-2)).toMatchObject([
      { name: 'orders with goods a second, relative to Vendure', value: 40 },
      { name: 'CPU of an order with goods, Vendure relative to ours', value: 40 },
    ]);
  });
});
