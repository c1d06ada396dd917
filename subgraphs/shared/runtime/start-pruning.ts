import type { EntityClass } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Schema } from '../database/connect.js';
import {
  noProgress,
  outdatedSql,
  type Progress,
  type Prunable,
  prunablesOf,
  prune,
} from '../database/prune.js';
import { sql } from '../database/sql.js';
import type { Logger } from '../observability/logger.js';
import { Counter, gaugeOf, type Registry } from '../observability/metrics.js';
import { startWorker, type Worker } from './worker.js';

export interface PruningOptions {
  /** a manager to fork from, one fork for each batch */
  readonly em: EntityManager;
  readonly databaseSchema: Schema;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly everyMs?: number;
}

// The benchmarks produce up to some thousand rows a second: a run has less than a second of work.
const everyDefaultMs = 10_000;

/** Deletes what the entities of a subgraph state, until stopped. Every process prunes; rows that one has are skipped by others. */
export function startPruning(options: PruningOptions): Worker {
  const { em, databaseSchema, logger, registry, everyMs = everyDefaultMs } = options;
  const entities = (databaseSchema.entities ?? []) as ReadonlyArray<EntityClass<unknown>>;
  const rules = prunablesOf(em, entities);
  const progress = new Map(rules.map((rule) => [rule, noProgress()]));
  const deleted = new Counter({
    name: 'holdfast_pruned_rows_total',
    help: 'Rows that were deleted because their retention was over, without those that they own.',
    labelNames: ['table'],
    registers: [registry],
  });
  for (const { table } of rules) deleted.inc({ table }, 0);
  const overdue = {
    name: 'holdfast_pruning_overdue_seconds',
    help: 'How long the oldest row of a table is past its retention, in seconds; 0 if none is.',
    label: 'table',
  };
  gaugeOf(registry, overdue, () => readOverdue(em, progress));
  const onDeleted = ({ table }: Prunable, rows: number) => deleted.inc({ table }, rows);
  return startWorker('pruning', everyMs, logger, (isStopping) =>
    prune(em, rules, logger, { isStopping, progress, onDeleted }),
  );
}

/** Table → seconds, of the rule that is latest. */
async function readOverdue(
  em: EntityManager,
  progress: ReadonlyMap<Prunable, Progress>,
): Promise<Record<string, number>> {
  const seconds: Record<string, number> = {};
  for (const [rule, reached] of progress) {
    const { table, since, keptFor } = rule;
    const [oldest] = await sql<{ overdue: number }>(
      em.fork(),
      `select extract(epoch from now() - interval '${keptFor}' - ${since})::float8 as overdue
       from ${table} where ${outdatedSql(rule)} and ${since} >= $1 order by ${since} limit 1`,
      [reached.from],
    );
    seconds[table] = Math.max(seconds[table] ?? 0, oldest?.overdue ?? 0);
  }
  return seconds;
}
