import type pg from 'pg';
import WebSocket from 'ws';
import { cpuMsOf } from '../cpu.js';
import { type CaseResult, rounded } from '../report.js';
import type { SystemProcesses } from '../system-processes.js';

const changes = 3;
const reachMaxMs = 120_000;
const againAfterMs = 1000;
const pollMs = 5;
const query = `subscription ($id: UUID!) { saleChanged(id: $id) {
  state serverTime version offers { offer { id } remaining soldOut } } }`;

/**
 * Measures what a change of one unit of a live sale costs that many watch: the bytes of an event, the CPU of the router
 * and of order until all have it, and how long that takes.
 */
export async function watchSale(
  { routerUrl, processIds }: Pick<SystemProcesses, 'routerUrl' | 'processIds'>,
  warehouse: pg.Client,
  saleId: string,
  watchers: number,
): Promise<CaseResult> {
  const url = `${routerUrl.replace(/^http/, 'ws')}/graphql`;
  const all = Array.from({ length: watchers }, () => watcher(url, saleId));
  const reached = async (count: number) => {
    const sinceMs = performance.now();
    while (all.some(({ events }) => events() < count)) {
      if (performance.now() - sinceMs > reachMaxMs) throw new Error('a change did not reach all');
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    return performance.now() - sinceMs;
  };
  try {
    await reached(1);
    const cpuMs = () => ({ router: cpuMsOf(processIds.router), order: cpuMsOf(processIds.order) });
    const before = cpuMs();
    let slowestMs = 0;
    for (let n = 1; n <= changes; n++) {
      const seen = Math.max(...all.map(({ events }) => events()));
      await warehouse.query(
        `update stock_item set set_aside = $2 where sale_id = $1 and (shop_id, sku) in (
           select shop_id, sku from sale_item where sale_id = $1 order by shop_id, sku limit 1)`,
        [saleId, (n + 1) % 2],
      );
      slowestMs = Math.max(slowestMs, await reached(seen + 1));
    }
    const after = cpuMs();
    return {
      case: `one change to ${watchers} watchers`,
      'bytes of an event': Math.max(...all.map(({ bytes }) => bytes())),
      'CPU of router, ms a change': rounded((after.router - before.router) / changes),
      'CPU of order, ms a change': rounded((after.order - before.order) / changes),
      'reached all after ms, slowest': rounded(slowestMs),
    };
  } finally {
    for (const each of all) each.close();
  }
}

/** One WebSocket with one subscription, which reads nothing of its events but their size. */
function watcher(url: string, saleId: string) {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  let [events, bytes] = [0, 0];
  socket.on('error', (error) => process.stderr.write(`watcher: ${error.message}\n`));
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  const subscribe = () => {
    const payload = { query, variables: { id: saleId } };
    if (socket.readyState === WebSocket.OPEN)
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
  };
  socket.on('message', (message: Buffer) => {
    const start = message.subarray(0, 60).toString();
    if (start.includes('"connection_ack"')) subscribe();
    // So many at once are refused until others are served.
    else if (start.includes('"error"')) setTimeout(subscribe, againAfterMs * (1 + Math.random()));
    else if (start.includes('"ping"')) socket.send('{"type":"pong"}');
    else if (start.includes('"next"')) {
      events += 1;
      bytes = message.length;
    } else process.stderr.write(`watcher: ${start}\n`);
  });
  return { events: () => events, bytes: () => bytes, close: () => socket.terminate() };
}
