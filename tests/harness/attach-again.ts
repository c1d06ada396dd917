import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../ops/subgraph-names.js';
import { addMonths, type Month } from '../../subgraphs/shared/database/partitions/month.js';

/** The statements of the runbook that attach a detached month of the ledger again. */
export function attachAgainSql(month: Month): string {
  const runbook = readFileSync(join(root, 'docs/operations/runbook.md'), 'utf8');
  const [, statements] =
    /### Attach a month again[\s\S]*?```sql\n([\s\S]*?)```/.exec(runbook) ?? [];
  if (!statements) throw new Error('not in the runbook');
  return statements
    .replaceAll('2023_11', month.replace('-', '_'))
    .replaceAll('2023-11', month)
    .replaceAll('2023-12', addMonths(month, 1));
}
