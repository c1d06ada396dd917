import pg from 'pg';
import { seedSessions, withTokens } from '../../dev/seed/sessions.js';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { createServiceClient } from '../../subgraphs/shared/http/service-client.js';
import { cpuMsOf } from '../cpu.js';
import { openServers } from '../environment.js';
import { type CaseResult, type Check, type Outcome, percentile, rounded } from '../report.js';
import { importFile } from '../soak/stock-file.js';
import { type SystemProcesses, startSystemProcesses } from '../system-processes.js';
import { endReservations } from './end-reservations.js';
import { addVariants, countEvents, type Delay, drain, insertEvents, readDelays } from './events.js';

const variants = 5000;
const importLines = Number(process.env.BENCH_IMPORT_LINES ?? 100_000);
const hungSeconds = Number(process.env.BENCH_HUNG_SECONDS ?? 60);
const hungEvents = 5000;
const transportEvents = 10_000;
/** Lines of a file that only prepares levels. */
const preparedLines = 10_000;
const cases = (process.env.BENCH_CASES ?? 'hung,import,transport').split(',');
const hungDelayMaxMs = 1000;
const importDelayMaxMs = 2000;
const eventsMin = 20;

/**
 * Measures the outbox of the warehouse: how late `reservation.ended` arrives at order while product is stopped, and
 * during and after an import that puts 100,000 SKUs in stock; and what delivering an event costs. The times are
 * those of PostgreSQL, so that it also runs in a checkout from before the lanes.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  await seedStore(databases, variants);
  const system = await startSystemProcesses(databases, redis.url);
  const connect = async (connectionString: string) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    return client;
  };
  const warehouse = await connect(databases.warehouse);
  const product = await connect(databases.product);
  const service = createServiceClient(
    system.environments.order.WAREHOUSE_URL,
    'order',
    (system.environments.order as Record<string, string>).ORDER_SECRET as string,
  );
  const parts: Parts = { system, service, warehouse, product, postgresId: postgres.processId };
  try {
    const sessions = await withTokens(
      await seedSessions(databases.user),
      system.secrets.signingKeys,
    );
    const vera = sessions.find(({ email }) => email === 'vera@example.com')?.accessToken as string;
    const results: CaseResult[] = [];
    const checks: Check[] = [];
    const add = (result: CaseResult) => {
      results.push(result);
      progress(JSON.stringify(result));
      return result;
    };
    await endReservations(service, warehouse, 50, 20);
    if (cases.includes('hung')) {
      checks.push(...checksOf(add(await measureHung(parts)), hungDelayMaxMs));
    }
    if (cases.includes('import')) {
      const imported = add(await measureImport(parts, vera));
      const [value, target] = [imported['stock.changed'] as number, `${importLines}`];
      const pass = value === importLines;
      checks.push(...checksOf(imported, importDelayMaxMs));
      checks.push({ name: 'import: stock.changed', value, target, pass });
    }
    if (cases.includes('transport')) add(await measureTransport(parts));
    return { results, checks };
  } finally {
    await Promise.all([service.close(), warehouse.end(), product.end()]);
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

interface Parts {
  readonly system: SystemProcesses;
  readonly service: ReturnType<typeof createServiceClient>;
  readonly warehouse: pg.Client;
  readonly product: pg.Client;
  readonly postgresId: number;
}

async function measureHung({ system, service, warehouse, product }: Parts): Promise<CaseResult> {
  const since = await timeOf(warehouse);
  const productId = system.processIds.product;
  process.kill(productId, 'SIGSTOP');
  try {
    await insertEvents(warehouse, product, 'warehouse.stock.changed', hungEvents);
    await endReservations(service, warehouse, hungSeconds * 20, 20);
  } finally {
    process.kill(productId, 'SIGCONT');
  }
  await drain(warehouse, 'order');
  await drain(warehouse, 'product');
  const delays = await readDelays(warehouse, 'warehouse.reservation.ended', since);
  return { case: `product stopped for ${hungSeconds} s: reservation.ended`, ...figuresOf(delays) };
}

async function measureImport(parts: Parts, token: string): Promise<CaseResult> {
  const { system, service, warehouse, product } = parts;
  const skus = await addVariants(product, importLines);
  const fileOf = (lines: readonly string[], units: number) =>
    `sku,quantity\n${lines.map((sku) => `${sku},${units}\n`).join('')}`;
  const send = (units: number) => (lines: readonly string[]) =>
    importFile(system.routerUrl, token, fileOf(lines, units));
  // Levels without units, in parts: so the import itself is shorter.
  for (let n = 0; n < skus.length; n += preparedLines) {
    await inParts(skus.slice(n, n + preparedLines), send(0));
  }
  await warehouse.query('vacuum analyze');
  const since = await timeOf(warehouse);
  let isDrained = false;
  const ending = (async () => {
    while (!isDrained) await endReservations(service, warehouse, 20, 20);
  })();
  let files = 0;
  try {
    files = await inParts(skus, send(1));
  } catch (error) {
    isDrained = true;
    await ending;
    throw error;
  }
  const [committedAt, cpuMs] = [performance.now(), cpuOf(parts)];
  await drain(warehouse, 'product');
  const seconds = (performance.now() - committedAt) / 1000;
  const spentMs = cpuOf(parts) - cpuMs;
  isDrained = true;
  await ending;
  await drain(warehouse, 'order');
  const delays = await readDelays(warehouse, 'warehouse.reservation.ended', since);
  return {
    case: 'import: reservation.ended',
    ...figuresOf(delays),
    lines: importLines,
    files,
    'stock.changed': await countEvents(warehouse, 'warehouse.stock.changed', since),
    'events to product/s': rounded(importLines / seconds),
    'CPU ms/event': rounded(spentMs / importLines, 2),
  };
}

/**
 * Sends lines in one file; in two if that is refused with `TRY_AGAIN`, which means that nothing was changed: on a busy
 * machine a large import does not end within the time limit of its transaction.
 *
 * @returns the number of files
 */
async function inParts(
  lines: readonly string[],
  send: (lines: readonly string[]) => Promise<void>,
): Promise<number> {
  try {
    await send(lines);
    return 1;
  } catch (error) {
    if (lines.length === 1 || !(error as Error).message.includes('TRY_AGAIN')) throw error;
    const half = Math.ceil(lines.length / 2);
    return (await inParts(lines.slice(0, half), send)) + (await inParts(lines.slice(half), send));
  }
}

async function measureTransport(parts: Parts): Promise<CaseResult> {
  const { warehouse, product } = parts;
  const [startedAt, cpuMs] = [performance.now(), cpuOf(parts)];
  await insertEvents(warehouse, product, 'warehouse.reservation.ended', transportEvents);
  await drain(warehouse, 'order');
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    case: 'reservation.ended of unknown orders',
    'events/s': rounded(transportEvents / seconds),
    'CPU ms/event': rounded((cpuOf(parts) - cpuMs) / transportEvents, 2),
  };
}

/** CPU time of all that takes part in a delivery. */
const cpuOf = ({ system: { processIds }, postgresId }: Parts) =>
  [processIds.warehouse, processIds.order, processIds.product, postgresId].reduce(
    (sum, id) => sum + cpuMsOf(id),
    0,
  );

const timeOf = async (client: pg.Client) =>
  (await client.query<{ now: string }>('select now()::text as now')).rows[0]?.now as string;

function figuresOf(delays: readonly Delay[]) {
  const ms = delays.map((delay) => delay.ms);
  return {
    events: ms.length,
    medianMs: rounded(percentile(ms, 0.5)),
    p99Ms: rounded(percentile(ms, 0.99)),
    maxMs: rounded(Math.max(...ms)),
  };
}

/** That there were events, and none came late. */
function checksOf({ case: name, events, maxMs: value }: CaseResult, maxMs: number): Check[] {
  const count = events as number;
  const late = value as number;
  return [
    { name: `${name}, events`, value: count, target: `>= ${eventsMin}`, pass: count >= eventsMin },
    { name: `${name}, latest, ms`, value: late, target: `< ${maxMs}`, pass: late < maxMs },
  ];
}
