import { sendCrowd } from './crowd.js';
import { readOptions } from './options.js';
import { planShoppers } from './shoppers.js';

const shoppers = planShoppers(readOptions(['--shoppers', '20']));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a crowd of shoppers', () => {
  it('comes in a closed loop: each once, in order, and never more at once than asked for', async () => {
    const seen: number[] = [];
    let inside = 0;
    let most = 0;
    await sendCrowd(shoppers, { rate: undefined, concurrency: 3 }, async ({ number }) => {
      seen.push(number);
      inside += 1;
      most = Math.max(most, inside);
      await turn();
      inside -= 1;
    });
    expect(seen).toEqual(shoppers.map(({ number }) => number));
    expect(most).toBe(3);
  });

  it('comes in an open loop at its times, though nobody is done', async () => {
    const dueMs: number[] = [];
    let release = () => {};
    const served = new Promise<void>((resolve) => {
      release = resolve;
    });
    const lateMs = await sendCrowd(shoppers, { rate: 2000, concurrency: 1 }, (_, arrivedMs) => {
      dueMs.push(arrivedMs);
      if (dueMs.length === shoppers.length) release();
      return served;
    });
    expect(lateMs).toHaveLength(shoppers.length);
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0);
    const gapsMs = dueMs.slice(1).map((each, n) => each - (dueMs[n] as number));
    expect(gapsMs).toHaveLength(19);
    for (const gap of gapsMs) expect(gap).toBeCloseTo(0.5, 6);
  });
});
