import { fork } from 'node:child_process';
import { join } from 'node:path';
import pg from 'pg';
import { endProcess } from '../../dev/databases/server-process.js';
import { root } from '../../ops/subgraph-names.js';
import type { Command, Seen, Watch } from './crowd.js';

const clientCount = 10;
const subscriptionsPerClient = 100;
const skusPerSubscription = 100;
export const subscriptionCount = clientCount * subscriptionsPerClient;
const stopMaxMs = 5000;
const query = `subscription ($skus: [String!]) { stockChanged(skus: $skus) {
  available version variant { product { name } } shop { name } } }`;

/** Starts the process of the spectators, who watch nothing yet. */
export function startCrowd() {
  const child = fork(join(root, 'dist/bench/spectators/crowd.js'), { execArgv: [] });
  let seen: Seen = { complete: 0, events: 0, ended: 0, errors: 0, lastError: '' };
  child.on('message', (message: Seen) => {
    seen = message;
  });
  const send = (command: Command) => child.send(command);
  return {
    processId: child.pid as number,
    seen: () => seen,
    open: (watch: Watch) => send({ open: watch }),
    close: () => send({ close: true }),
    stop: () => endProcess(child, 'SIGTERM', stopMaxMs),
  };
}
export type Crowd = ReturnType<typeof startCrowd>;

/**
 * 1,000 subscriptions of 100 different SKUs each, spread over all SKUs of the store, so that each SKU, the
 * most ordered one too, is watched by three or four.
 *
 * @param databaseUrl of the warehouse subgraph
 */
export async function spreadOver(databaseUrl: string, url: string): Promise<Watch> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ sku: string; offers: number }>(
    'select sku, count(*)::int as offers from stock_item group by sku order by sku',
  );
  await client.end();
  const skusOf = (subscription: number) =>
    Array.from({ length: skusPerSubscription }, (_, n) => {
      const at = (subscription * skusPerSubscription + n) % rows.length;
      return (rows[at] as { sku: string }).sku;
    });
  const offersOf = new Map(rows.map(({ sku, offers }) => [sku, offers]));
  const watchedBy = (subscription: number) => {
    const skus = skusOf(subscription);
    // An event of each offer.
    const snapshotEvents = skus.reduce((sum, sku) => sum + (offersOf.get(sku) ?? 0), 0);
    return { variables: { skus }, snapshotEvents };
  };
  return {
    url: url.replace(/^http/, 'ws'),
    query,
    clients: Array.from({ length: clientCount }, (_, client) =>
      Array.from({ length: subscriptionsPerClient }, (_, n) =>
        watchedBy(client * subscriptionsPerClient + n),
      ),
    ),
  };
}
