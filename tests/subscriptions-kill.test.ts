import { overWebSocket } from './harness/live.js';
import { startProcessSystem } from './harness/process-system.js';
import { eventually } from './harness/wait.js';

const watchStock = `subscription { stockChanged(skus: ["TRAIL-40"]) {
  available version variant { name product { name } } shop { id name } } }`;
const shopsThatSellIt = 3;

describe('subscriptions of a subgraph that is killed', () => {
  it('stay open, and all 100 get a snapshot within 5 s of its start', async () => {
    const system = await startProcessSystem();
    const clients = Array.from({ length: 10 }, () => overWebSocket(system.url));
    const watches = clients.flatMap((client) =>
      Array.from({ length: 10 }, () => client.subscribe(watchStock)),
    );
    const withFewerThan = (count: number) => watches.filter(({ seen }) => seen.length < count);
    try {
      await eventually(
        async () => withFewerThan(shopsThatSellIt).length,
        (waiting) => waiting === 0,
      );
      await system.kill('warehouse');
      await system.start('warehouse');
      await eventually(
        async () => withFewerThan(2 * shopsThatSellIt).length,
        (waiting) => waiting === 0,
        5000,
      );
      expect(watches.filter((watch) => watch.ended() !== null)).toEqual([]);
      const shops = watches.map(
        ({ seen }) =>
          new Set(seen.slice(-shopsThatSellIt).map(({ data }) => data.stockChanged.shop.id)).size,
      );
      expect(shops).toEqual(Array(100).fill(shopsThatSellIt));
    } finally {
      for (const client of clients) client.close();
      await system.stop();
    }
  });
});
