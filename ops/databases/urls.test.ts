import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, subgraphNames } from '../subgraph-names.js';
import { databasesToUse } from './urls.js';

const run = promisify(execFile);
const variables = subgraphNames.map((name) => `${name.toUpperCase()}_DATABASE_URL`);

describe('the databases of seed, rebuild and verify', () => {
  it('are those in the environment, by value or by file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-urls-'));
    const [file, url] = [join(folder, 'url'), 'postgresql://a:b@db:5432/one'];
    writeFileSync(file, url);
    const given = Object.fromEntries(variables.map((name) => [`${name}_FILE`, file]));
    const urls = databasesToUse({ ...given, ORDER_DATABASE_URL: `${url}-more` });
    expect(urls).toMatchObject({ user: url, order: `${url}-more` });
    rmSync(folder, { recursive: true });
  });

  it.each(['dev/seed', 'ops/verify', 'ops/rebuild projections'])(
    '%s, as a program, reports in one sentence that there are none',
    async (command) => {
      const [program, ...args] = command.split(' ');
      const env = {
        ...process.env,
        STATE_DIR: join(tmpdir(), 'nothing-is-here'),
        NODE_OPTIONS: '',
      };
      const path = join(root, `dist/${program}/index.js`);
      const running = run(process.execPath, [path, ...args], { env });
      await expect(running).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^No running system found.*\n$/),
      });
    },
  );
});
