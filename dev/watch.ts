import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../ops/subgraph-names.js';

const settleMs = 200;
const folders = ['subgraphs', 'router', 'ops', 'dev'];

/** The parts of the system that run this file; those that share it are all of them. */
function partsOf(file: string, names: readonly string[]): readonly string[] {
  const [top, second] = file.split('/');
  if (top === 'router') return ['router'];
  if (file.startsWith('dev/payment-sandbox/')) return ['sandbox'];
  if (top === 'dev' || top === 'ops') return [];
  return second && names.includes(second) ? [second] : names;
}

/**
 * Builds when a source changes, and tells which parts are to be started again; a build that fails
 * is shown, and what runs goes on.
 *
 * @param names the parts that run
 */
export function watchSources(
  names: readonly string[],
  restart: (parts: ReadonlySet<string>) => Promise<void>,
): { stop(): Promise<void> } {
  const changed = new Set<string>();
  let settling: NodeJS.Timeout | undefined;
  let working = Promise.resolve();
  const build = async () => {
    const files = [...changed];
    changed.clear();
    try {
      await promisify(execFile)(join(root, 'node_modules', '.bin', 'tsc'), ['-p', root]);
      await restart(new Set(files.flatMap((file) => partsOf(file, names))));
    } catch (error) {
      console.error((error as { stdout?: string }).stdout || error);
    }
  };
  const watchers = folders.map((folder) =>
    watch(join(root, folder), { recursive: true }, (_event, file) => {
      if (!file?.endsWith('.ts') || file.endsWith('.test.ts')) return;
      changed.add(`${folder}/${file}`);
      clearTimeout(settling);
      settling = setTimeout(() => {
        working = working.then(build);
      }, settleMs);
    }),
  );
  return {
    async stop() {
      clearTimeout(settling);
      for (const watcher of watchers) watcher.close();
      await working;
    },
  };
}
