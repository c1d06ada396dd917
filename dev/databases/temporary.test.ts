import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { root } from '../../ops/subgraph-names.js';
import { eventually } from '../../tests/harness/wait.js';
import { startTemporaryPostgres } from './temporary.js';

/** @param url of a PostgreSQL with a Unix socket, which is in the folder of its data */
const folderOf = (url: string) => dirname(new URL(url).searchParams.get('host') as string);

describe('a temporary PostgreSQL', () => {
  it.each([false, true])('leaves no data when it is stopped (durable: %s)', async (durable) => {
    const postgres = await startTemporaryPostgres(durable);
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    const { rows } = await client.query('show fsync');
    expect(rows).toEqual([{ fsync: durable ? 'on' : 'off' }]);
    await client.end();
    const folder = folderOf(postgres.url);
    expect(existsSync(folder)).toBe(true);
    await postgres.stop();
    expect(existsSync(folder)).toBe(false);
  });

  it('leaves no data when the process that started it is killed', async () => {
    const program = `
      import { startTemporaryPostgres } from ${JSON.stringify(pathToFileURL(join(root, 'dist/dev/databases/temporary.js')).href)};
      const { url } = await startTemporaryPostgres();
      console.log(url);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) => {
      child.stdout.once('data', (line) => resolve(String(line).trim()));
    });
    const folder = folderOf(url);
    expect(existsSync(folder)).toBe(true);
    child.kill('SIGKILL');
    await eventually(
      async () => existsSync(folder),
      (exists) => !exists,
    );
  });
});
