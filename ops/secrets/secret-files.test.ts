import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDatabaseHosts } from './database-hosts.js';
import { makeSecretFiles } from './secret-files.js';

describe('the secrets of an installation', () => {
  const parent = mkdtempSync(join(tmpdir(), 'holdfast-secrets-'));
  const folder = join(parent, 'secrets');
  const hosts = readDatabaseHosts(['db:5432', 'user=10.0.0.1:5433']);
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  beforeAll(() => makeSecretFiles(folder, hosts));
  afterAll(() => rmSync(parent, { recursive: true }));

  it('are the same for caller and callee, and different for each process', () => {
    expect(read('order/ORDER_SECRET')).toBe(read('warehouse/ORDER_SECRET'));
    expect(read('order/ORDER_SECRET')).not.toBe(read('order/WAREHOUSE_SECRET'));
    expect(() => read('router/ORDER_SECRET')).toThrow('ENOENT');
    expect(() => read('order/AUTH_SIGNING_KEYS')).toThrow('ENOENT');
  });

  it('have a database URL with one role for the process, and the owner for the migration', () => {
    const url = new URL(read('order/DATABASE_URL'));
    expect([url.host, url.pathname, url.username]).toEqual([
      'db:5432',
      '/holdfast_order',
      'holdfast_order',
    ]);
    expect(read('postgres/holdfast_order')).toBe(url.password);
    const owner = new URL(read('migrate-order/DATABASE_URL'));
    expect(owner.username).toBe('holdfast_order_owner');
    expect(read('postgres/holdfast_order_owner')).toBe(owner.password);
    expect(owner.password).not.toBe(url.password);
    expect(() => read('migrate-order/ORDER_SECRET')).toThrow('ENOENT');
  });

  it('have the server of each subgraph, if it has its own', () => {
    for (const path of [
      'user/DATABASE_URL',
      'migrate-user/DATABASE_URL',
      'tools/USER_DATABASE_URL',
    ]) {
      expect(new URL(read(path)).host).toBe('10.0.0.1:5433');
    }
    expect(() => readDatabaseHosts(['user=a:1'])).toThrow('product, shop, warehouse, order');
    for (const bad of ['basket=a:1', 'a', 'user=a', 'postgresql://a:1']) {
      expect(() => readDatabaseHosts(['b:1', bad])).toThrow(`${bad} is neither`);
    }
  });

  it('are readable by their owner only', () => {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('have an empty file for each secret of a third party, and keep what was written there', async () => {
    expect([read('user/SMTP_URL'), read('shop/DATABASE_REPLICA_URLS')]).toEqual(['', '']);
    expect(() => read('shop/SMTP_URL')).toThrow('ENOENT');
    writeFileSync(join(folder, 'user/SMTP_URL'), 'smtps://mail.example.com');
    await makeSecretFiles(folder, hosts);
    expect(read('user/SMTP_URL')).toBe('smtps://mail.example.com');
  });

  it('do not change when they are created again', async () => {
    const paths = ['order/DATABASE_URL', 'user/AUTH_SIGNING_KEYS', 'router/ROUTER_SECRET'];
    const before = paths.map(read);
    await makeSecretFiles(folder, hosts);
    expect(paths.map(read)).toEqual(before);
  });
});
