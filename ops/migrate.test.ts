import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrateSubgraph, untilMigrated } from './migrate.js';

const notAllowed = '42501';

describe('a migration before the processes start', () => {
  const tail = randomBytes(5).toString('hex');
  const [owner, service, database] = [`o_${tail}`, `s_${tail}`, `t_${tail}_migrate`];
  const admin = new pg.Client({ connectionString: process.env.TEST_POSTGRES_URL as string });
  const urlOf = (role: string) => {
    const url = new URL(process.env.TEST_POSTGRES_URL as string);
    Object.assign(url, { username: role, password: 'of-the-test', pathname: `/${database}` });
    return url.href;
  };
  const asService = new pg.Client({ connectionString: urlOf(service) });
  // As docker/postgres/create-databases.sh does it.
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

  it('is waited for by pods, and gives their role rows but no tables to change', async () => {
    let waiting = true;
    const waited = untilMigrated('shop', { DATABASE_URL: urlOf(service) }).then(() => {
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
