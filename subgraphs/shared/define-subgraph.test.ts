import type pg from 'pg';
import { createTestDatabases } from '../../tests/harness/databases.js';
import { eventually } from '../../tests/harness/wait.js';
import { variables } from '../product/config.js';
import { databaseSchema } from '../product/mikro-orm.config.js';
import { source } from '../product/schema.js';
import { poolOf } from './database/connect.js';
import { defineSubgraph } from './define-subgraph.js';
import type { SubgraphParts } from './subgraph-definition.js';

type Parts = SubgraphParts<typeof variables, 'shop', object>;

describe('a subgraph', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'product'>>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['product']);
  });
  afterAll(() => databases.drop());

  const environment = () => ({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    OPS_PORT: '0',
    DATABASE_URL: databases.urls.product,
  });
  const steps: string[] = [];
  beforeEach(() => {
    steps.length = 0;
  });

  /** Two steps that need the database. */
  const app = ({ orm, onStop }: Parts) => {
    for (const name of ['first', 'second']) {
      onStop(async () => {
        await orm.em.fork().execute('select 1');
        steps.push(name);
      });
    }
    return { name: 'the app' };
  };
  const definition = {
    name: 'product',
    variables,
    databaseSchema,
    source,
    callers: ['router'],
    services: { shop: 'SHOP_URL' },
    consumes: { 'shop.offer.changed': async () => {}, 'warehouse.stock.changed': async () => {} },
    emits: { 'product.variant.removed': 'shop', 'product.variant.renamed': 'shop' },
  } as const;

  it('stops what it started in the reverse order: workers first, the database last', async () => {
    let turns = 0;
    const { start } = defineSubgraph({
      ...definition,
      app,
      workers: {
        counter: {
          everyMs: 1,
          async run({ app: { name } }, isStopping) {
            if (turns === 0) steps.push(name);
            turns += 1;
            while (!isStopping()) await new Promise((resolve) => setTimeout(resolve, 1));
            steps.push('worker');
          },
        },
      },
    });
    const service = await start(environment());
    expect((await fetch(`${service.opsUrl}/readyz`)).status).toBe(200);
    await service.stop();
    expect(steps).toEqual(['the app', 'worker', 'second', 'first']);
  });

  it('that cannot start stops what it started before', async () => {
    const { start } = defineSubgraph({
      ...definition,
      app(parts: Parts) {
        app(parts);
        throw new Error('no such provider');
      },
    });
    await expect(start(environment())).rejects.toThrow('no such provider');
    expect(steps).toEqual(['second', 'first']);
  });

  it('deletes what its entities state, and no more', async () => {
    const service = await defineSubgraph(definition).start(environment());
    const metrics = await (await fetch(`${service.opsUrl}/metrics`)).text();
    await service.stop();
    const pruned = metrics.matchAll(/^holdfast_pruned_rows_total\{table="(\w+)"/gm);
    expect([...pruned].map(([, table]) => table).toSorted()).toEqual([
      'inbox',
      'outbox',
      'stored_outcome',
    ]);
  });

  it('is ready and alive while slow statements use all connections of its pool', async () => {
    let pool: pg.Pool | undefined;
    const { start } = defineSubgraph({
      ...definition,
      app({ orm }: Parts) {
        return {
          async hold() {
            await orm.em.fork().execute('select 1');
            pool = poolOf(orm);
            const held = Array.from({ length: pool?.options.max ?? 0 }, () => pool?.connect());
            return Promise.all(held);
          },
        };
      },
      workers: {
        holder: {
          everyMs: 1,
          async run({ app: { hold } }: { app: { hold(): Promise<unknown[]> } }, isStopping) {
            const clients = (await hold()) as pg.PoolClient[];
            steps.push('all are held');
            while (!isStopping()) await new Promise((resolve) => setTimeout(resolve, 1));
            for (const client of clients) client.release();
          },
        },
      },
    });
    const service = await start(environment());
    await eventually(
      async () => steps.length,
      (length) => length > 0,
    );
    const statuses = await Promise.all(
      ['readyz', 'healthz'].map(async (path) => (await fetch(`${service.opsUrl}/${path}`)).status),
    );
    const used = pool?.totalCount;
    await service.stop();
    expect(statuses).toEqual([200, 200]);
    expect(used).toBe(pool?.options.max);
  });

  it('shows its gauges', async () => {
    const { start } = defineSubgraph({
      ...definition,
      gauges: [{ name: 'test_answer', help: 'The answer.', read: async () => 42 }],
    });
    const service = await start(environment());
    const metrics = await (await fetch(`${service.opsUrl}/metrics`)).text();
    await service.stop();
    expect(metrics).toMatch(/^test_answer\{.*\} 42$/m);
  });
});
