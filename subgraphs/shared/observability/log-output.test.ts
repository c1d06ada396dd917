import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../../ops/subgraph-names.js';

const urlOf = (module: string) => pathToFileURL(join(root, 'dist/subgraphs/shared', module)).href;

/** A program that counts what is written, and reports the number of writes at its end. */
const programOf = (body: string) => `
  import { createLogger } from '${urlOf('observability/logger.js')}';
  import { runIfMain } from '${urlOf('runtime/process.js')}';
  const logger = createLogger('test', 'info');
  const log = (first, count) => {
    for (let n = first; n < first + count; n++) logger.info({ n }, 'line');
  };
  ${body}`;

describe('the output of a process', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-log-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** @returns the numbers in the lines, in their order */
  async function run(body: string, during?: (child: ChildProcess) => Promise<unknown>) {
    const program = join(folder, 'program.mjs');
    await writeFile(program, programOf(body));
    const child = spawn(process.execPath, [program], { env: { NODE_ENV: 'test' } });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    await Promise.all([once(child, 'close'), during?.(child)]);
    const numbers = output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).n as number);
    return { numbers, errors, code: child.exitCode };
  }
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

  it('has one write for the lines of a turn', async () => {
    const { numbers, errors } = await run(`
      let writes = 0;
      const { write } = process.stdout;
      process.stdout.write = (...args) => ((writes += 1), write.apply(process.stdout, args));
      log(0, 100);
      await new Promise(setImmediate);
      log(100, 100);
      await new Promise(setImmediate);
      process.stderr.write(String(writes));`);
    expect(numbers).toEqual(upTo(200));
    expect(errors).toBe('2');
  });

  it('has the last lines before process.exit', async () => {
    const { numbers, code } = await run('log(0, 500); process.exit(3);');
    expect({ numbers, code }).toEqual({ numbers: upTo(500), code: 3 });
  });

  it('has the last lines before an uncaught exception', async () => {
    const { numbers, code, errors } = await run(
      `setTimeout(() => { log(0, 500); throw new Error('uncaught'); });`,
    );
    expect({ numbers, code }).toEqual({ numbers: upTo(500), code: 1 });
    expect(errors).toContain('uncaught');
  });

  it('has the last lines of a service that is stopped by SIGTERM', async () => {
    const { numbers, code } = await run(
      `runIfMain(import.meta.url, async () => {
        log(0, 10);
        const alive = setInterval(() => {}, 1000);
        return { stop: async () => { clearInterval(alive); log(10, 500); } };
      });`,
      async (child) => {
        await once(child.stdout as NodeJS.ReadableStream, 'data');
        child.kill('SIGTERM');
      },
    );
    expect({ numbers, code }).toEqual({ numbers: upTo(510), code: 0 });
  });
});
