import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../ops/subgraph-names.js';

/** The metrics in docs/operations/metrics.md: name → labels. */
export function listedMetrics(): Map<string, Set<string>> {
  const document = readFileSync(join(root, 'docs/operations/metrics.md'), 'utf8');
  const rows = document.split('\n').filter((line) => line.startsWith('| `'));
  const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text as string);
  return new Map(
    rows.flatMap((row) => {
      const [, names, labels] = row.split('|');
      return quoted(names).map((name) => [name, new Set(quoted(labels))] as const);
    }),
  );
}
