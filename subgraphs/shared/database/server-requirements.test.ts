import { randomBytes } from 'node:crypto';
import type { Migration } from '@mikro-orm/migrations';
import pg from 'pg';
import { subgraphNames } from '../../../ops/subgraph-names.js';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { databaseSchema } from '../../product/mikro-orm.config.js';
import { connect, disconnect, type Schema } from './connect.js';
import { migrate } from './run-migrations.js';
import { requireServer } from './server-requirements.js';
import { UnusableServerError } from './unusable-server.js';

describe('what the tables of a subgraph need of a server', () => {
  const tail = randomBytes(5).toString('hex');
  const [role, empty, latin] = [`r_${tail}`, `t_${tail}_empty`, `t_${tail}_latin`];
  let databases: Awaited<ReturnType<typeof createTestDatabases<'product'>>>;
  const admin = new pg.Client({ connectionString: process.env.TEST_POSTGRES_URL as string });
  /** As superuser, or as the role, which owns the schema `public` but not the database. */
  const urlOf = (database: string, username?: string) => {
    const url = new URL(process.env.TEST_POSTGRES_URL as string);
    url.pathname = `/${database}`;
    if (username) Object.assign(url, { username, password: 'of-the-test' });
    return url.href;
  };
  async function asAdmin(database: string, text: string) {
    const client = new pg.Client({ connectionString: urlOf(database) });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }
  beforeAll(async () => {
    databases = await createTestDatabases(['product']);
    await admin.connect();
    await admin.query(`create role ${role} login password 'of-the-test'`);
    await admin.query(`create database ${empty}`);
    await admin.query(`create database ${latin} template template0 encoding 'LATIN1' locale 'C'`);
    await asAdmin(empty, `alter schema public owner to ${role}`);
  });
  afterAll(async () => {
    for (const database of [empty, latin]) {
      await admin.query(`drop database ${database} with (force)`);
    }
    await admin.query(`drop role ${role}`);
    await admin.end();
    await databases.drop();
  });

  async function start(url: string, schema: Schema = databaseSchema) {
    const orm = await connect({ name: 'test', url, poolMax: 1 }, schema);
    try {
      await requireServer(orm, schema, 'service');
    } finally {
      await disconnect(orm);
    }
  }
  const migration = (url: string, schema: Schema = databaseSchema) =>
    migrate({ name: 'test', url, poolMax: 1 }, schema);
  async function expectRefusal(work: Promise<unknown>, sentence: string | RegExp) {
    await expect(work).rejects.toThrow(UnusableServerError);
    await expect(work).rejects.toThrow(sentence);
  }

  it('are there after the migrations', async () => {
    await expect(start(databases.urls.product)).resolves.toBeUndefined();
    await expect(migration(databases.urls.product)).resolves.toBeUndefined();
  });

  it('include an extension, which the role of the migrations may be allowed to create', async () => {
    await expectRefusal(
      migration(urlOf(empty, role)),
      `The role ${role} may not create the extension pg_trgm in the database ${empty}; ` +
        'run "create extension pg_trgm" in it as a superuser.',
    );
    await expectRefusal(
      start(urlOf(empty, role)),
      `The database ${empty} is without the extension pg_trgm; run its migrations, or ` +
        'run "create extension pg_trgm" in it as a superuser.',
    );
    const tables = `select count(*)::int from pg_tables where schemaname = 'public'`;
    expect(await asAdmin(empty, tables)).toEqual([{ count: 0 }]);

    await admin.query(`grant create on database ${empty} to ${role}`);
    await migration(urlOf(empty, role));
    await start(urlOf(empty, role));
    expect(
      await asAdmin(empty, `select extname from pg_extension where extname = 'pg_trgm'`),
    ).toHaveLength(1);
  });

  it('include that the server has the extension at all', async () => {
    const schema = { ...databaseSchema, extensions: ['no_such_extension'] };
    for (const work of [start, migration]) {
      await expectRefusal(
        work(databases.urls.product, schema),
        /The server of t_\w+_product does not have the extension no_such_extension; install PostgreSQL's contrib/,
      );
    }
  });

  it('include the collation of names', async () => {
    const name = new URL(databases.urls.product).pathname.slice(1);
    await asAdmin(name, `update pg_collation set collname = 'away' where collname = 'und-x-icu'`);
    try {
      for (const work of [start, migration]) {
        await expectRefusal(
          work(databases.urls.product),
          /has no collation "und-x-icu"; use a PostgreSQL that is built with ICU/,
        );
      }
    } finally {
      await asAdmin(name, `update pg_collation set collname = 'und-x-icu' where collname = 'away'`);
    }
  });

  it('include UTF-8', async () => {
    for (const work of [start, migration]) {
      await expectRefusal(
        work(urlOf(latin)),
        `The database ${latin} has the encoding LATIN1, not UTF8`,
      );
    }
  });

  it.each(subgraphNames)('are all that the migrations of %s use', async (name) => {
    const { databaseSchema: schema } = (await import(`../../${name}/mikro-orm.config.js`)) as {
      databaseSchema: Schema;
    };
    const orm = await connect({ name: 'test', url: databases.urls.product, poolMax: 1 }, schema);
    const texts = (schema.migrations ?? []).map((each) => {
      if (!('class' in each)) throw new Error('a migration is a class');
      const made = new each.class(orm.em.getDriver() as never, orm.config) as Migration;
      void made.up();
      return made.getQueries().join(';\n');
    });
    const inMigrations = (pattern: RegExp) => {
      const found = texts.flatMap((text) => [...text.matchAll(pattern)].map(([, word]) => word));
      return [...new Set(found)].sort();
    };
    expect(inMigrations(/create extension (?:if not exists )?"?([\w-]+)/gi)).toEqual(
      [...(schema.extensions ?? [])].sort(),
    );
    const ofEntities = [...orm.getMetadata().getAll().values()].flatMap(({ props }) =>
      props.flatMap(({ collation }) => collation ?? []),
    );
    expect(inMigrations(/collate "([\w-]+)"/gi)).toEqual([...new Set(ofEntities)].sort());
    await disconnect(orm);
  });
});
