import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { root } from '../ops/subgraph-names.js';
import { createTestDatabases, freePortRange } from './harness/databases.js';
import { type Before, startFakePooler } from './harness/fake-pooler.js';

const dropped = (parameters: string) =>
  new RegExp(
    `^PostgreSQL at [\\d.:]+ does not get the startup parameters \\(${parameters}\\); .*\\n$`,
  );
const sentences: Readonly<Record<Exclude<Before, 'forwards' | 'cuts' | 'is silent'>, RegExp>> = {
  'is PostgreSQL 15': /^The server [\d.:]+ runs .*; PostgreSQL 17 or later is required\.\n$/,
  'refuses parameters': dropped('\\w+'),
  'drops parameters': dropped('[\\w, ]+'),
};

describe('a PostgreSQL that cannot serve', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'product'>>>;
  let pooler: Awaited<ReturnType<typeof startFakePooler>>;
  let processes: ChildProcess[] = [];
  beforeAll(async () => {
    databases = await createTestDatabases(['product']);
  });
  afterEach(async () => {
    for (const each of processes) each.kill('SIGKILL');
    processes = [];
    await pooler.stop();
  });
  afterAll(() => databases.drop());

  async function run(program: string, ...args: string[]) {
    const port = await freePortRange();
    const child = fork(join(root, 'dist', program), args, {
      silent: true,
      execArgv: [],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_ENV: 'development',
        LOG_LEVEL: 'silent',
        DATABASE_URL: pooler.url,
        PORT: String(port),
        OPS_PORT: String(port + 1),
      },
    });
    processes.push(child);
    let printed = '';
    child.stderr?.on('data', (data: Buffer) => {
      printed += data;
    });
    const closed = once(child, 'close').then(([code]) => code);
    return { child, end: async () => ({ code: await closed, printed }) };
  }

  it.each([['is PostgreSQL 15'], ['refuses parameters'], ['drops parameters']] as const)(
    'ends services and migrations with one sentence: it %s',
    async (before) => {
      pooler = await startFakePooler(databases.urls.product, before);
      for (const program of [
        ['subgraphs/product/index.js'],
        ['ops/migrate.js', 'product'],
        ['ops/migrate.js', 'product', '--wait'],
      ] as const) {
        const [file, ...args] = program;
        const { end } = await run(file, ...args);
        expect(await end()).toEqual({ code: 1, printed: expect.stringMatching(sentences[before]) });
      }
    },
  );

  it('ends a service that is running when a pooler comes between', async () => {
    pooler = await startFakePooler(databases.urls.product, 'forwards');
    const { child, end } = await run('subgraphs/product/index.js');
    await once(child, 'message');
    pooler.become('drops parameters');
    const { code, printed } = await end();
    expect({ code, printed }).toEqual({
      code: 1,
      printed: expect.stringMatching(sentences['drops parameters']),
    });
  });

  it.each(['at its start', 'when it comes back'])(
    'ends a service whose database has lost an extension, %s',
    async (when) => {
      const own = await createTestDatabases(['product']);
      const admin = new URL(process.env.TEST_POSTGRES_URL as string);
      admin.pathname = new URL(own.urls.product).pathname;
      const client = new pg.Client({ connectionString: admin.href });
      await client.connect();
      await client.query('drop extension pg_trgm cascade');
      await client.end();
      pooler = await startFakePooler(
        own.urls.product,
        when === 'at its start' ? 'forwards' : 'cuts',
      );
      const { child, end } = await run('subgraphs/product/index.js');
      if (when !== 'at its start') {
        const [message] = await once(child, 'message');
        expect(message).toMatchObject({ ready: true });
        pooler.become('forwards');
      }
      expect(await end()).toEqual({
        code: 1,
        printed: expect.stringMatching(/^The database \w+ is without the extension pg_trgm; .*\n$/),
      });
      await own.drop();
    },
  );

  it('is waited for while it is away', async () => {
    pooler = await startFakePooler(databases.urls.product, 'forwards');
    await pooler.stop();
    const { child } = await run('subgraphs/product/index.js');
    const [message] = await once(child, 'message');
    expect(message).toMatchObject({ ready: true });
    expect(child.exitCode).toBeNull();
  });
});
