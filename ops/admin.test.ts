import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './subgraph-names.js';

const run = promisify(execFile);

describe('the program that creates admins', () => {
  it.each([
    ['in DATABASE_URL', { DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/user' }, /ECONNREFUSED/],
    ['of the running system', {}, /^No running system found\. Start it with npm start\.\n$/],
    ['that is required in production', { NODE_ENV: 'production' }, /DATABASE_URL is missing/],
  ])('uses the database %s', async (_, given, stderr) => {
    const env = { ...process.env, NODE_ENV: '', NODE_OPTIONS: '', DATABASE_URL: '', ...given };
    const program = join(root, 'dist/ops/admin.js');
    const running = run(process.execPath, [program, 'create', '--email', 'a@example.org'], {
      env: { ...env, STATE_DIR: join(tmpdir(), 'nothing-is-here') },
    });
    await expect(running).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(stderr) });
  });
});
