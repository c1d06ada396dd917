import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../ops/subgraph-names.js';

const debounceMs = 200;
const folders = ['subgraphs', 'router', 'ops', 'dev'];

/** The parts of the system that run this file; a shared file is run by all of them. */
function partsOf(file: string, names: readonly string[]): readonly string[] {
  const [top, second] = file.split('/');
  if (top === 'router') return ['router'];
  if (file.startsWith('dev/payment-sandbox/')) return ['sandbox'];
  if (file.startsWith('dev/messages/')) return ['messages'];
  if (file.startsWith('dev/pages/')) return ['sandbox', 'messages'];
  if (top === 'dev' || top === 'ops') return [];
  return second && names.includes(second) ? [second] : names;
}

/**
 * Builds when a source changes, and restarts the affected parts. The errors of a failed build are printed,
 * and the running parts continue.
 *
 * @param names the running parts
 */
export function watchSources(
  names: readonly string[],
  restart: (parts: ReadonlySet<string>) => Promise<void>,
): { stop(): Promise<void> } {
  const changed = new Set<string>();
  let debounce: NodeJS.Timeout | undefined;
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
      clearTimeout(debounce);
      debounce = setTimeout(() => {
        working = working.then(build);
      }, debounceMs);
    }),
  );
  return {
    async stop() {
      clearTimeout(debounce);
      for (const watcher of watchers) watcher.close();
      await working;
    },
  };
}
