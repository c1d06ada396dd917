import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSecretFiles } from './secret-files.js';

describe('the secrets of an installation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-secrets-'));
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  beforeAll(() => makeSecretFiles(folder, 'db:5432'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are the same for both sides, and other for each process', () => {
    expect(read('order/ORDER_SECRET')).toBe(read('warehouse/ORDER_SECRET'));
    expect(read('order/ORDER_SECRET')).not.toBe(read('order/WAREHOUSE_SECRET'));
    expect(() => read('router/ORDER_SECRET')).toThrow('ENOENT');
    expect(() => read('order/AUTH_SIGNING_KEYS')).toThrow('ENOENT');
  });

  it('name a database with a role for the process, and its owner for the migration', () => {
    const url = new URL(read('order/DATABASE_URL'));
    expect([url.host, url.pathname, url.username]).toEqual([
      'db:5432',
      '/holdfast_order',
      'holdfast_order',
    ]);
    expect(read('postgres/holdfast_order')).toBe(url.password);
    const owner = new URL(read('owners/ORDER_DATABASE_URL'));
    expect(owner.username).toBe('holdfast_order_owner');
    expect(read('postgres/holdfast_order_owner')).toBe(owner.password);
    expect(owner.password).not.toBe(url.password);
  });

  it('stay as they are when they are made again', async () => {
    const paths = ['order/DATABASE_URL', 'user/AUTH_SIGNING_KEYS', 'router/ROUTER_SECRET'];
    const before = paths.map(read);
    await makeSecretFiles(folder, 'db:5432');
    expect(paths.map(read)).toEqual(before);
  });
});
