import type { EntityClass } from '@mikro-orm/core';
import { withDatabases } from '../../ops/databases/clients.js';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { subgraphNames } from '../../ops/subgraph-names.js';
import { databaseSchema as order } from '../../subgraphs/order/mikro-orm.config.js';
import { databaseSchema as product } from '../../subgraphs/product/mikro-orm.config.js';
import { connect } from '../../subgraphs/shared/database/connect.js';
import { noProgress, prunablesOf, prune } from '../../subgraphs/shared/database/prune.js';
import { startWorker } from '../../subgraphs/shared/runtime/worker.js';
import { databaseSchema as shop } from '../../subgraphs/shop/mikro-orm.config.js';
import { databaseSchema as user } from '../../subgraphs/user/mikro-orm.config.js';
import { databaseSchema as warehouse } from '../../subgraphs/warehouse/mikro-orm.config.js';
import { logger } from '../engine.js';
import { rounded } from '../report.js';

const schemas = { user, product, shop, warehouse, order };
/** Tables that are pruned by the age of a row alone. A shorter retention changes nothing but their length. */
const pruned = ['outbox', 'inbox', 'idempotency_key', 'stored_outcome', 'payment_event'];
/** Tables that are pruned with what they own, and after months: `verify` relies on it. */
const kept = ['reservation', 'refresh_token'];
const keptFor = '1 minute';
const pruneEveryMs = 10_000;

export interface TableSize {
  readonly rows: number;
  /** estimates of PostgreSQL */
  readonly live: number;
  readonly dead: number;
  /** with its indexes */
  readonly mb: number;
}

/** Runs the pruner of the subgraphs in all databases, with a retention of a minute in place of hours and days. */
export async function startShortRetention(databases: DatabaseUrls) {
  const running = await Promise.all(
    subgraphNames.map(async (name) => {
      const settings = { name: 'bench', url: databases[name], poolMax: 1 };
      const orm = await connect(settings, schemas[name]);
      const entities = (schemas[name].entities ?? []) as ReadonlyArray<EntityClass<unknown>>;
      const rules = prunablesOf(orm.em, entities)
        .filter(({ table }) => pruned.includes(table))
        .map((rule) => ({ ...rule, keptFor }));
      const progress = new Map(rules.map((rule) => [rule, noProgress()]));
      const worker = startWorker('pruning', pruneEveryMs, logger, (isStopping) =>
        prune(orm.em, rules, logger, { isStopping, progress }),
      );
      return { orm, worker };
    }),
  );
  return {
    async stop() {
      await Promise.all(running.map(({ worker }) => worker.stop()));
      await Promise.all(running.map(({ orm }) => orm.close()));
    },
  };
}

/** `database.table` → size. */
export function readTables(databases: DatabaseUrls): Promise<Record<string, TableSize>> {
  return withDatabases(databases, 'bench', async (clients) => {
    const sizes: Record<string, TableSize> = {};
    for (const name of subgraphNames) {
      const { rows: stats } = await clients[name].query(
        `select relname as table, n_live_tup::int as live, n_dead_tup::int as dead,
           pg_total_relation_size(relid)::float8 as bytes
         from pg_stat_user_tables where relname = any($1) order by relname`,
        [[...pruned, ...kept]],
      );
      for (const { table, live, dead, bytes } of stats) {
        const { rows } = await clients[name].query(`select count(*)::int as rows from ${table}`);
        sizes[`${name}.${table}`] = {
          rows: rows[0].rows,
          live,
          dead,
          mb: rounded(bytes / 2 ** 20, 2),
        };
      }
    }
    return sizes;
  });
}

export const isPruned = (table: string) => pruned.includes(table.split('.')[1] as string);
