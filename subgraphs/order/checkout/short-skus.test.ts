import type { Call } from '../../contracts/call.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { tryAgain } from '../../shared/errors.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import { createLogger } from '../../shared/observability/logger.js';
import { createShortSkus } from './short-skus.js';

const silent = createLogger('test', 'silent');
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A warehouse subgraph that has these units of each SKU. */
function warehouseOf(units: Record<string, number>) {
  const calls: string[][] = [];
  let answering = Promise.resolve();
  const call = async (_: Call<object, unknown>, { of }: { of: StockKey[] }) => {
    calls.push(of.map(({ sku }) => sku));
    const answer = of.map(({ sku }) => units[sku] ?? 0);
    await answering;
    return answer;
  };
  return {
    client: { call } as unknown as ServiceClient,
    calls,
    answerAfter(promise: Promise<void>) {
      answering = promise;
    },
  };
}

const line = (sku: string, quantity = 1) => ({
  offerId: `offer-${sku}`,
  shopId: 's',
  sku,
  quantity,
});

const refused = (sku: string, available = 0) => ({ ...line(sku), available });

describe('SKUs that were refused a moment ago', () => {
  it('in a sale are looked up in it only: their regular units, and other sales, are not', async () => {
    const { client, calls } = warehouseOf({ A: 5 });
    const short = createShortSkus(client, silent);
    short.add([{ ...refused('A'), saleId: 'sale' }]);
    expect(await short.findShort([line('A')])).toEqual([]);
    expect(await short.findShort([{ ...line('A'), saleId: 'other' }])).toEqual([]);
    expect(calls).toEqual([]);
  });

  it('are looked up with all lines of the checkout; others are not', async () => {
    const { client, calls } = warehouseOf({ A: 0, B: 5, C: 1 });
    const short = createShortSkus(client, silent);
    expect(await short.findShort([line('A'), line('B')])).toEqual([]);
    expect(calls).toEqual([]);
    short.add([refused('A')]);
    expect(await short.findShort([line('B'), line('A', 2), line('C', 2)])).toEqual([
      { offerId: 'offer-A', requested: 2, available: 0 },
      { offerId: 'offer-C', requested: 2, available: 1 },
    ]);
    expect(calls).toEqual([['B', 'A', 'C']]);
    expect(await short.findShort([line('B')])).toEqual([]);
    expect(calls).toHaveLength(1);
    // One unit was left of it.
    expect(await short.findShort([line('C')])).toEqual([]);
    expect(calls).toHaveLength(1);
    expect(await short.findShort([line('C', 2)])).toHaveLength(1);
    expect(calls).toHaveLength(2);
  });

  it('are looked up once for all that ask at the same moment, and again for who asks after that', async () => {
    const units = { A: 0 };
    const { client, calls, answerAfter } = warehouseOf(units);
    const short = createShortSkus(client, silent);
    short.add([refused('A')]);
    let answer = () => {};
    answerAfter(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const first = [1, 2, 3].map(() => short.findShort([line('A')]));
    await pause(10);
    units.A = 1;
    const later = short.findShort([line('A')]);
    await pause(10);
    answer();
    expect((await Promise.all(first)).map(({ length }) => length)).toEqual([1, 1, 1]);
    expect(await later).toEqual([]);
    expect(calls).toEqual([['A'], ['A']]);
  });

  it('are left to the reservation if the look-up fails, or takes more than 1 s', async () => {
    const failing = { call: () => Promise.reject(tryAgain('down')) } as unknown as ServiceClient;
    const hanging = { call: () => new Promise(() => {}) } as unknown as ServiceClient;
    for (const client of [failing, hanging]) {
      const short = createShortSkus(client, silent);
      short.add([refused('A')]);
      const startedAt = performance.now();
      expect(await short.findShort([line('A')])).toEqual([]);
      expect(performance.now() - startedAt).toBeLessThan(2000);
    }
  });

  it('are forgotten after 2 s, unless they are found short again', async () => {
    const units = { A: 0, B: 0 };
    const { client, calls } = warehouseOf(units);
    const short = createShortSkus(client, silent);
    short.add([refused('A'), refused('B')]);
    await pause(1200);
    await short.findShort([line('A')]);
    await pause(1200);
    await short.findShort([line('A')]);
    await short.findShort([line('B')]);
    expect(calls).toEqual([['A'], ['A']]);
  });

  it('are at most 10,000, the earliest are forgotten first', async () => {
    const { client, calls } = warehouseOf({});
    const short = createShortSkus(client, silent);
    short.add([refused('A'), refused('B')]);
    short.add(Array.from({ length: 9998 }, (_, n) => refused(`${n}`)));
    short.add([refused('A'), refused('last')]);
    for (const sku of ['A', '0', 'last', 'B']) await short.findShort([line(sku)]);
    expect(calls).toEqual([['A'], ['0'], ['last']]);
  });
});
