import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../dev/databases/server-process.js';
import { startTemporaryPostgres } from '../../../dev/databases/temporary.js';
import { root } from '../../../ops/subgraph-names.js';
import { openCountedPool } from '../../counted-pool.js';
import type { PeerFolder } from '../../install.js';
import { answersGraphQL, startPeer } from '../../peer-process.js';
import type { SaleOptions } from '../sale/options.js';
import { shelfOf } from '../sale/shoppers.js';
import { connectionsOf, type Store } from '../sale/store.js';
import { openVendureBooks } from './books.js';
import { createGuests } from './guests.js';

const folder = join(root, 'bench/flash-sale/peers/vendure');
export const vendureFolder: PeerFolder = { folder, name: 'Vendure', megabytes: 150 };
const plenty = 100_000;
const columns =
  'name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,' +
  'stockOnHand,trackInventory,variantAssets,variantFacets';

/**
 * Starts Vendure in production mode, a server and a worker, on a PostgreSQL of its own like ours, with the
 * units of the sale and one more SKU, for the warm-up.
 */
export async function openVendure(
  options: SaleOptions,
  progress: (line: string) => void,
): Promise<Store> {
  const { version } = JSON.parse(
    readFileSync(join(folder, 'node_modules/@vendure/core/package.json'), 'utf8'),
  );
  const postgres = await startTemporaryPostgres(true);
  const port = await freePort();
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    VENDURE_DISABLE_TELEMETRY: 'true',
    DATABASE_URL: postgres.url,
    ADMIN_PASSWORD: 'bench',
  };
  progress('Vendure creates its tables and products');
  const shelf = shelfOf(options);
  await populate(shelf, { ...env, PORT: `${await freePort()}`, CREATE_TABLES: 'true' });
  const url = `http://127.0.0.1:${port}/shop-api`;
  const server = await startPeer({
    name: 'Vendure',
    args: [join(folder, 'server.js')],
    env: { ...env, PORT: `${port}` },
    isReady: () => answersGraphQL(url),
  });
  const healthPort = await freePort();
  const worker = await startPeer({
    name: 'The worker of Vendure',
    args: [join(folder, 'worker.js')],
    env: { ...env, HEALTH_PORT: `${healthPort}` },
    isReady: () => isHealthy(`http://127.0.0.1:${healthPort}/health`),
  });
  const books = await openVendureBooks(postgres.url, options.units);
  const variants = await books.readVariants();
  const variantIds = [...shelf.keys()].map((sku) => variants.get(`SALE-${sku}`) as string);
  const pool = openCountedPool(new URL(url).origin, connectionsOf(options));
  return {
    name: `Vendure ${version}`,
    processIds: {
      server: server.processId,
      worker: worker.processId,
      postgres: postgres.processId,
    },
    sell: createGuests(pool, '/shop-api', [...variantIds, variants.get('WARM-UP') as string]),
    delayed: pool.delayed,
    readStock: books.readStock,
    readBooks: books.read,
    // Its unpaid orders hold no stock and never expire.
    settle: async () => 0,
    async close() {
      await Promise.all([pool.close(), books.end()]);
      await Promise.all([server.stop(), worker.stop()]);
      await postgres.stop();
    },
  };
}

async function populate(shelf: readonly number[], env: NodeJS.ProcessEnv): Promise<void> {
  const files = mkdtempSync(join(tmpdir(), 'holdfast-vendure-'));
  const products = join(files, 'products.csv');
  const stocked = [...shelf.map((units, sku) => [`SALE-${sku}`, units]), ['WARM-UP', plenty]];
  const rows = stocked.map(
    ([sku, units]) => `${sku},${`${sku}`.toLowerCase()},,,,,,${sku},19.90,standard,${units},true,,`,
  );
  writeFileSync(products, [columns, ...rows, ''].join('\n'));
  try {
    const child = spawn(process.execPath, [join(folder, 'populate.js'), products], {
      env,
      cwd: files,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.resume();
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`Vendure could not create its products: exit code ${code}`);
  } finally {
    rmSync(files, { recursive: true });
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
