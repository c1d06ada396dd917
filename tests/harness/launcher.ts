import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPortFree } from '../../dev/databases/server-process.js';
import { noHoldLimits, portsFrom } from '../../dev/environment.js';
import type { ShownMessage } from '../../dev/messages/inbox.js';
import { stateFolder } from '../../ops/running-system.js';
import { root } from '../../ops/subgraph-names.js';
import { freePortRange } from './databases.js';
import { eventually } from './wait.js';

/** Ports and a state folder for one `npm start` of a test, beside others. */
export async function createPlace() {
  const base = await freePortRange();
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-start-'));
  const unpackedRedis = join(stateFolder(), 'redis');
  if (existsSync(unpackedRedis)) symlinkSync(unpackedRedis, join(folder, 'redis'));
  const { ports, ops, sandbox, messages, smtp } = portsFrom(base);
  const messagesUrl = `http://localhost:${messages}`;
  const env = {
    ...process.env,
    ...noHoldLimits,
    NODE_OPTIONS: '',
    NODE_ENV: '',
    STATE_DIR: folder,
    PORT: String(base),
    POSTGRES_PORT: String(base + 15),
    REDIS_PORT: String(base + 16),
  };
  const beside = [sandbox, messages, smtp, base + 15, base + 16];
  const all = [...Object.values(ports), ...Object.values(ops), ...beside];
  const runs: Array<ReturnType<typeof runLauncher>> = [];

  /** Waits until nothing listens on the ports. */
  async function expectNothingLeft() {
    await eventually(
      async () => (await Promise.all(all.map(isPortFree))).every(Boolean),
      (free) => free,
      15_000,
    );
  }
  const remove = () =>
    // An initdb that was killed late may still write: retry.
    rmSync(folder, { recursive: true, force: true, maxRetries: 30, retryDelay: 100 });

  return {
    base,
    folder,
    ops,
    origin: `http://localhost:${base}`,
    url: `http://localhost:${base}/graphql`,
    messagesUrl,
    /** the code of the newest message to a phone or an e-mail address */
    async codeFor(to: string): Promise<string | null | undefined> {
      const response = await fetch(`${messagesUrl}/messages.json?to=${encodeURIComponent(to)}`);
      const sent = (await response.json()) as { messages: readonly ShownMessage[] };
      return sent.messages[0]?.code;
    },
    log: () => readFileSync(join(folder, 'holdfast.log'), 'utf8'),
    run(overrides: Record<string, string> = {}, args: string[] = []) {
      const started = runLauncher({ ...env, ...overrides }, args);
      runs.push(started);
      return started;
    },
    /** Runs another program of `dist` with the same environment, and waits until it exits. */
    async runTool(program: string) {
      const { output, exit } = runLauncher(env, [], program);
      return { code: await exit, output: output() };
    },
    expectNothingLeft,
    remove,
    /** Kills what still runs, expects that it leaves nothing behind, and deletes the state. */
    async close() {
      for (const { child } of runs) child.kill('SIGKILL');
      await expectNothingLeft();
      remove();
    },
  };
}

function runLauncher(env: NodeJS.ProcessEnv, args: string[], program = 'dev/start.js') {
  const path = join(root, 'dist', program);
  const child: ChildProcess = spawn(process.execPath, [path, ...args], { env, cwd: root });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    child,
    output: () => output,
    exit,
    untilReady: () =>
      eventually(
        async () => ({ output, exitCode: child.exitCode }),
        (now) => now.output.includes('Stop with Ctrl-C') || now.exitCode !== null,
        180_000,
      ),
  };
}
