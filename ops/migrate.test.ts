import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createTestDatabases } from '../tests/harness/databases.js';
import { migrateSubgraph, waitUntilMigrated } from './migrate.js';
import { root } from './subgraph-names.js';

const notAllowed = '42501';

describe('the migration before the processes start', () => {
  const tail = randomBytes(5).toString('hex');
  const [owner, service, database] = [`o_${tail}`, `s_${tail}`, `t_${tail}_migrate`];
  const admin = new pg.Client({ connectionString: process.env.TEST_POSTGRES_URL as string });
  const urlOf = (role: string) => {
    const url = new URL(process.env.TEST_POSTGRES_URL as string);
    Object.assign(url, { username: role, password: 'of-the-test', pathname: `/${database}` });
    return url.href;
  };
  const asService = new pg.Client({ connectionString: urlOf(service) });
  // As in docker/postgres/create-databases.sh.
  beforeAll(async () => {
    await admin.connect();
    await admin.query(`create role ${owner} login password 'of-the-test'`);
    await admin.query(`create role ${service} login password 'of-the-test'`);
    await admin.query(`create database ${database} owner ${owner}`);
    const asOwner = new pg.Client({ connectionString: urlOf(owner) });
    await asOwner.connect();
    await asOwner.query(`alter default privileges in schema public
      grant select, insert, update, delete on tables to ${service}`);
    await asOwner.end();
    await asService.connect();
  });
  afterAll(async () => {
    await asService.end();
    await admin.query(`drop database ${database} with (force)`);
    await admin.query(`drop role ${owner}, ${service}`);
    await admin.end();
  });

  it('is awaited by pods, whose role may change rows but not tables', async () => {
    let waiting = true;
    const waited = waitUntilMigrated('shop', { DATABASE_URL: urlOf(service) }).then(() => {
      waiting = false;
    });
    await expect(asService.query('select from shop')).rejects.toThrow('does not exist');
    expect(waiting).toBe(true);

    await migrateSubgraph('shop', { DATABASE_URL: urlOf(owner) });
    await waited;
    await migrateSubgraph('shop', { DATABASE_URL: urlOf(owner) });
    expect((await asService.query('select from shop')).rowCount).toBe(0);
    for (const change of ['create table mine (id int)', 'alter table shop add mine int']) {
      await expect(asService.query(change)).rejects.toMatchObject({ code: notAllowed });
    }
  });
});

describe('a database from before the first release', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'shop'>>>;
  let client: pg.Client;
  beforeAll(async () => {
    databases = await createTestDatabases(['shop']);
    client = new pg.Client({ connectionString: databases.urls.shop });
    await client.connect();
    await client.query(`delete from mikro_orm_migrations where name <> '20261127-initial'`);
    await client.query(`update mikro_orm_migrations set name = '20261121-spine'`);
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  const compose = ['docker compose down -v && docker compose up'];
  const cluster = [
    'drop database t_\\w+_shop with \\(force\\)',
    'drop role holdfast_shop, holdfast_shop_owner',
    'SUBGRAPHS=shop docker/postgres/create-databases.sh',
  ];
  it.each([
    ['Compose', '', [], compose],
    ['Kubernetes', '10.0.0.1', [], cluster],
    ['Kubernetes, for a pod that waits', '10.0.0.1', ['--wait'], cluster],
  ])(
    'is not changed, and the error for %s has the command to start over',
    async (_, host, args, command) => {
      const env = {
        ...process.env,
        NODE_OPTIONS: '',
        KUBERNETES_SERVICE_HOST: host,
        DATABASE_URL: databases.urls.shop,
      };
      const program = join(root, 'dist/ops/migrate.js');
      const running = promisify(execFile)(process.execPath, [program, 'shop', ...args], { env });
      const message =
        'The database t_\\w+_shop was created before the first release and cannot be upgraded.';
      await expect(running).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          new RegExp(`^${message} To start over without its data:\n  .*${command.join('.*')}\n$`),
        ),
      });
      const { rows } = await client.query('select name from mikro_orm_migrations');
      expect(rows).toEqual([{ name: '20261121-spine' }]);
    },
  );
});
