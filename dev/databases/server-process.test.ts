import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canHaveSocket } from './server-process.js';

describe('a server can have a Unix socket', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'socket-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('in a folder whose file system has sockets, also for several that start at once', async () => {
    writeFileSync(join(folder, '.probe'), 'of another start');
    const paths = Array.from({ length: 20 }, (_, n) => join(folder, `${n}.sock`));
    expect(await Promise.all(paths.map(canHaveSocket))).toEqual(paths.map(() => true));
    expect(readdirSync(folder)).toEqual(['.probe']);
  });

  it('not where no socket can be made', async () => {
    expect(await canHaveSocket('/proc/server.sock')).toBe(false);
    expect(await canHaveSocket(join(folder, 'missing', 'server.sock'))).toBe(false);
  });

  it('not by a path that is too long', async () => {
    expect(await canHaveSocket(join(folder, 'long'.repeat(30)))).toBe(false);
  });
});
