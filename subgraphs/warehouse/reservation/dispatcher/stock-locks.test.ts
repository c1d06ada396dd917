import { jest } from '@jest/globals';
import { startTestRedis } from '../../../../tests/harness/databases.js';
import { openLink } from '../../../../tests/harness/network-link.js';
import {
  logger,
  openStock,
  stockUp,
  type TestStock,
} from '../../../../tests/harness/stock-engine.js';
import { eventually, retryWhileBusy, waitingForLockSql } from '../../../../tests/harness/wait.js';
import type { StockKey } from '../../../contracts/stock-key.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import { createRedis } from '../../../shared/runtime/redis.js';
import { takesWrites } from '../../../shared/runtime/redis-probe.js';
import { reserveStock } from '../engine.js';
import { dispatcherLimits } from './dispatcher-limits.js';
import { createStockLocks, lockCommandMaxMs, lockKey, type StockLocks } from './stock-locks.js';

type Server = Awaited<ReturnType<typeof startTestRedis>>;
type Connection = ReturnType<typeof createRedis>;

const reserveForMs = 3_600_000;
const request = ({ shopId, sku }: StockKey) => {
  return { orderId: newId(), lines: [{ shopId, sku, quantity: 1 }], reserveForMs };
};

describe('the locks of stock', () => {
  let stock: TestStock;
  let servers: Server[];
  let nodes: Connection[];
  beforeAll(async () => {
    stock = await openStock();
    servers = await Promise.all([startTestRedis(), startTestRedis(), startTestRedis()]);
  });
  beforeEach(async () => {
    nodes = await connectAll();
  });
  afterEach(async () => {
    for (const node of nodes) node.disconnect();
    await stock.expectStockInvariants();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await stock.close();
  });

  const connect = async (url: string) => {
    const node = createRedis(url, logger, 'lock', { commandTimeout: lockCommandMaxMs });
    await node.connect();
    return node;
  };
  const connectAll = () => Promise.all(servers.map(({ url }) => connect(url)));
  const untilAlone = (locks: StockLocks, wanted = true) =>
    eventually(
      async () => locks.isAlone(),
      (isAlone) => isAlone === wanted,
    );
  const untilBack = (connections: readonly Connection[]) =>
    eventually(
      async () => connections.every(takesWrites),
      (areBack) => areBack,
    );
  const availableOf = async ({ shopId }: StockKey) => {
    const rows = await stock.query<{ available: number }>(
      'select available from stock_item where shop_id = $1',
      [shopId],
    );
    return rows[0]?.available;
  };
  const isLocked = async (node: Connection, key: string) => (await node.exists(lockKey(key))) === 1;

  const failures: Record<string, [fail: (s: Server) => unknown, repair: (s: Server) => unknown]> = {
    dead: [(server) => server.kill(), (server) => server.restart()],
    unresponsive: [(server) => server.pause(), (server) => server.resume()],
    demoted: [(server) => server.demote(), (server) => server.promote()],
  };

  describe.each(Object.keys(failures))('of which nodes are %s', (how) => {
    const [fail, repair] = failures[how] as (typeof failures)[string];

    it.each([2, 3])(
      'sell every unit once without a quorum (%i), from two processes',
      async (count) => {
        const others = await connectAll();
        const engines = [
          await stock.engine({ locks: nodes }),
          await stock.engine({ locks: others }),
        ] as const;
        const keys = [await stockUp(engines[0], [30]), await stockUp(engines[0], [30])] as const;
        await Promise.all(servers.slice(0, count).map(fail));
        const reserveAll = Array.from({ length: 80 }, (_, n) => {
          const engine = engines[n % 2] as (typeof engines)[0];
          const one = request(keys[n % 4 < 2 ? 0 : 1]);
          return retryWhileBusy(() => reserveStock(engine, one));
        });
        const outcomes = await Promise.all(reserveAll);
        expect(outcomes.filter(({ state }) => state === 'HELD')).toHaveLength(60);
        expect(await Promise.all(keys.map(availableOf))).toEqual([0, 0]);
        await Promise.all(servers.slice(0, count).map(repair));
        await eventually(
          async () => [...nodes, ...others].every(takesWrites),
          (areBack) => areBack,
        );
        for (const node of others) node.disconnect();
      },
    );

    it('are taken while one of three is away', async () => {
      const locks = createStockLocks(nodes, logger);
      await fail(servers[0] as Server);
      for (let n = 0; n < 3; n++) {
        const lock = await locks.lock(['A'], () => true);
        expect(locks.isAlone()).toBe(false);
        expect(await isLocked(nodes[1] as Connection, 'A')).toBe(true);
        await lock?.release();
      }
      await repair(servers[0] as Server);
      await untilBack(nodes);
    });
  });

  it('that a process left when it died refuse no reservation', async () => {
    const engine = await stock.engine({ locks: nodes, limits: dispatcherLimits });
    const key = await stockUp(engine, [1]);
    const left = await createStockLocks(nodes, logger).lock([key.sku], () => true);
    expect(left).not.toBeNull();
    expect(await reserveStock(engine, request(key))).toMatchObject({ state: 'HELD' });
  });

  it('run one batch of the process at a time without nodes, and are taken again when these are back', async () => {
    const locks = createStockLocks(nodes, logger);
    await Promise.all(servers.map((server) => server.kill()));
    await untilAlone(locks);
    const order: string[] = [];
    const run = async (key: string) => {
      const lock = await locks.lock([key], () => true);
      order.push(`${key} begins`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push(`${key} ends`);
      expect(await lock?.release()).toBe(false);
    };
    await Promise.all(['A', 'B', 'C'].map(run));
    expect(order).toEqual(['A', 'B', 'C'].flatMap((key) => [`${key} begins`, `${key} ends`]));
    await Promise.all(servers.map((server) => server.restart()));
    await untilBack(nodes);
    const lock = await locks.lock(['A'], () => true);
    expect(await isLocked(nodes[2] as Connection, 'A')).toBe(true);
    await lock?.release();
  });

  it('send nothing to nodes that are away, until a probe was written again', async () => {
    const [node] = nodes as [Connection];
    const locks = createStockLocks([node], logger);
    servers[0]?.pause();
    await (await locks.lock(['A'], () => true))?.release();
    const sent = jest.spyOn(node, 'sendCommand');
    for (let n = 0; n < 20; n++) await (await locks.lock(['A'], () => true))?.release();
    const names = sent.mock.calls.map(([command]) => command.name);
    expect(names.filter((name) => name.startsWith('eval'))).toEqual([]);
    servers[0]?.resume();
    await untilAlone(locks, false);
    await (await locks.lock(['A'], () => true))?.release();
    expect(sent.mock.calls.map(([command]) => command.name)).toContain('evalsha');
  });

  it('are taken again from another primary at the address of the only node', async () => {
    const [first, second] = servers as [Server, Server];
    const address = await openLink(first.url);
    const node = await connect(address.url);
    const locks = createStockLocks([node], logger);
    await first.demote();
    await untilAlone(locks);
    address.moveTo(second.url);
    await untilAlone(locks, false);
    const lock = await locks.lock(['A'], () => true);
    expect(await isLocked(nodes[1] as Connection, 'A')).toBe(true);
    await lock?.release();
    node.disconnect();
    await address.stop();
    await first.promote();
  });

  it.each([1, 3])('are taken although answers of %i nodes were late once', async (count) => {
    const locks = createStockLocks(nodes.slice(0, count), logger);
    const sent = nodes.slice(0, count).map((node) => jest.spyOn(node, 'sendCommand'));
    const scriptsSent = () =>
      sent.map(({ mock }) => mock.calls.filter(([{ name }]) => name.startsWith('eval')).length);
    const paused = servers.slice(0, count);
    for (const server of paused) server.pause();
    const locking = locks.lock(['A'], () => true);
    // The attempt, and after it the release of what it may have got.
    await eventually(
      async () => Math.min(...scriptsSent()),
      (fewest) => fewest === 2,
    );
    for (const server of paused) server.resume();
    const lock = await locking;
    expect(await isLocked(nodes[0] as Connection, 'A')).toBe(true);
    expect(locks.isAlone()).toBe(false);
    await lock?.release();
  });

  it.each([true, false])(
    'are not tried again after a late answer when the time of the batch is over; requests wait: %s',
    async (areWaiting) => {
      const [node] = nodes as [Connection];
      const locks = createStockLocks([node], logger);
      const sent = jest.spyOn(node, 'sendCommand');
      const scriptsSent = () =>
        sent.mock.calls.filter(([{ name }]) => name.startsWith('eval')).length;
      servers[0]?.pause();
      const isNeeded = jest.fn(() => false);
      const locking = locks.lock(['A'], isNeeded, () => areWaiting);
      // The attempt, and after it the release of what it may have got.
      await eventually(
        async () => scriptsSent(),
        (count) => count === 2,
      );
      servers[0]?.resume();
      const lock = await locking;
      expect(lock === null).toBe(!areWaiting);
      expect(isNeeded).toHaveBeenCalledTimes(1);
      expect(locks.isAlone()).toBe(false);
      expect(scriptsSent()).toBe(2);
      await lock?.release();
    },
  );

  it('let one batch of a process wait for rows when the nodes go away under those that wait for locks', async () => {
    const [server] = servers as [Server];
    const [node, other] = [nodes[0] as Connection, await connect(server.url)];
    const engine = await stock.engine({ locks: [node], lockTimeoutMs: 3500 });
    const keys = await Promise.all([1, 2, 3, 4].map(() => stockUp(engine, [1])));
    const locks = keys.map(({ sku }) => lockKey(sku));
    await other.mset(locks.flatMap((key) => [key, 'of another process'])); // do not expire
    const holder = engine.orm.em.fork();
    await holder.begin();
    const shopIds = keys.map(({ shopId }) => shopId);
    await sql(holder, 'select from stock_item where shop_id = any($1) for update', [shopIds]);
    const requests: Array<ReturnType<typeof reserveStock>> = [];
    for (const key of keys) {
      requests.push(reserveStock(engine, request(key)));
      await new Promise((resolve) => setTimeout(resolve, 20)); // a batch of its own
    }
    await server.demote();
    const seen: number[] = [];
    await eventually(
      async () => {
        const waiting = (await stock.query(waitingForLockSql)).length;
        if (waiting > 0) seen.push(waiting);
        return seen;
      },
      () => seen.length === 5,
    );
    expect(seen).toEqual(seen.map(() => 1));
    await holder.rollback();
    expect(await Promise.all(requests)).toEqual(
      keys.map(() => expect.objectContaining({ state: 'HELD' })),
    );
    await server.promote();
    await untilBack([other]);
    await other.del(locks);
    other.disconnect();
  });
});
