import type { EntityClass } from '@mikro-orm/core';
import type { MikroORM } from '@mikro-orm/postgresql';
import { type SubgraphName, subgraphNames } from '../../../ops/subgraph-names.js';
import { createAllTestDatabases } from '../../../tests/harness/databases.js';
import { databaseSchema as order } from '../../order/mikro-orm.config.js';
import { databaseSchema as product } from '../../product/mikro-orm.config.js';
import { databaseSchema as shop } from '../../shop/mikro-orm.config.js';
import { databaseSchema as user } from '../../user/mikro-orm.config.js';
import { databaseSchema as warehouse } from '../../warehouse/mikro-orm.config.js';
import { connect, disconnect, type Schema } from './connect.js';
import { batchSql, deleteOwnersSql, ownedSql, type Prunable, prunablesOf } from './prune.js';
import { isKeptFor, type Retention, retentionsOf } from './retention.js';
import { sql } from './sql.js';

const schemas: Record<SubgraphName, Schema> = { order, product, shop, user, warehouse };
const entitiesOf = (name: SubgraphName) =>
  (schemas[name].entities ?? []) as ReadonlyArray<EntityClass<unknown>>;
const tables = subgraphNames.flatMap((name) =>
  entitiesOf(name).map((entity) => [name, entity.name, entity] as const),
);

/** Nodes of a plan that read a table, with the indexes of a bitmap scan. */
interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Plan[];
}
const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

describe('the retention of a table', () => {
  let databases: Awaited<ReturnType<typeof createAllTestDatabases>>;
  const orms = new Map<SubgraphName, MikroORM>();
  beforeAll(async () => {
    databases = await createAllTestDatabases();
    for (const name of subgraphNames) {
      const settings = { name: 'test', url: databases.urls[name], poolMax: 1 };
      orms.set(name, await connect(settings, schemas[name]));
    }
  });
  afterAll(async () => {
    for (const orm of orms.values()) await disconnect(orm);
    await databases.drop();
  });
  const emOf = (name: SubgraphName) => (orms.get(name) as MikroORM).em.fork();

  /** As in the pruner, on tables that look large: sequential scans are only a last resort. */
  async function planOf(name: SubgraphName, statement: string, values: unknown[]): Promise<Plan[]> {
    return emOf(name).transactional(async (em) => {
      await sql(em, 'set local enable_seqscan = off');
      await sql(em, 'set local enable_sort = off');
      const [row] = await sql<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        em,
        `explain (format json) ${statement}`,
        values,
      );
      return nodesOf((row as { 'QUERY PLAN': [{ Plan: Plan }] })['QUERY PLAN'][0].Plan);
    });
  }

  it('is stated for every table of the databases: each has an entity', async () => {
    for (const name of subgraphNames) {
      const rows = await sql<{ table: string }>(
        emOf(name),
        `select tablename as table from pg_tables
         where schemaname = current_schema() and tablename not like '%migrations'`,
      );
      const metadata = emOf(name).getMetadata();
      const known = entitiesOf(name).map((entity) => metadata.get(entity).tableName);
      // A partition has the retention of its table.
      const partitions = await sql<{ table: string }>(
        emOf(name),
        `select inhrelid::regclass::text as table from pg_inherits`,
      );
      const isPart = new Set(partitions.map(({ table }) => table));
      const unknown = rows.map(({ table }) => table).filter((table) => !isPart.has(table));
      expect(unknown.filter((table) => !known.includes(table))).toEqual([]);
    }
  });

  it('is a number of months for every partitioned table, and for no other', async () => {
    for (const name of subgraphNames) {
      const rows = await sql<{ table: string }>(
        emOf(name),
        'select partrelid::regclass::text as table from pg_partitioned_table order by 1',
      );
      const metadata = emOf(name).getMetadata();
      const detached = entitiesOf(name).filter((entity) =>
        retentionsOf(entity).some((retention) => 'detachedAfter' in retention),
      );
      expect(detached.map((entity) => metadata.get(entity).tableName).toSorted()).toEqual(
        rows.map(({ table }) => table),
      );
    }
  });

  it.each(tables)('is stated in the entity: %s, %s', (_subgraph, _entity, entity) => {
    const stated = retentionsOf(entity);
    expect(stated).not.toEqual([]);
    for (const retention of stated) {
      if ('permanently' in retention) expect(retention.permanently).toMatch(/\w+ \w+/);
    }
  });

  const prunables = () =>
    subgraphNames.flatMap((name) =>
      prunablesOf(emOf(name), entitiesOf(name)).map((rule) => [name, rule] as const),
    );

  it('that ends is served by the index that it names, without a sort', async () => {
    const found = prunables();
    expect(found.length).toBeGreaterThan(10);
    for (const [name, rule] of found) {
      const nodes = await planOf(name, batchSql(rule, rule.key), ['-infinity', 5000]);
      const reads = nodes.filter((node) => node['Index Name'] === rule.index);
      expect([rule.table, reads.map((node) => node['Index Cond']).join()]).toEqual([
        rule.table,
        expect.stringContaining(rule.since),
      ]);
      // What else a rule asks is looked up for each row: a join may read the other table as a whole.
      const others = nodes.filter((node) => /Seq Scan|Join|Loop/.test(node['Node Type']));
      expect([rule.table, others]).toEqual([rule.table, []]);
    }
  });

  it('that ends finds the rows to delete, and those that they own, by their keys', async () => {
    const ids = ['00000000-0000-7000-8000-000000000000'];
    for (const [name, rule] of prunables()) {
      for (const deletion of ownedBy(rule)) {
        const values = rule.owned?.by.map(() => ids) ?? [];
        const scans = (await planOf(name, deletion, values)).filter(
          (node) => node['Node Type'] === 'Seq Scan',
        );
        expect([deletion, scans]).toEqual([deletion, []]);
      }
    }
  });
  const ownedBy = (rule: Prunable) =>
    rule.owned
      ? [...rule.owned.deletions, deleteOwnersSql(rule.table, rule.owned.by)].map((deletion) =>
          ownedSql(rule.owned?.by ?? [], deletion),
        )
      : [];

  it('of rows that go with their owner is that of a table whose pruner deletes them first', () => {
    for (const name of subgraphNames) {
      const metadata = emOf(name).getMetadata();
      const stated = new Map<string, readonly Retention[]>(
        entitiesOf(name).map((entity) => [metadata.get(entity).tableName, retentionsOf(entity)]),
      );
      for (const [table, retentions] of stated) {
        for (const retention of retentions) {
          if (!('withOwner' in retention)) continue;
          for (const rule of pruningRootsOf(stated, table)) {
            expect([
              table,
              rule.owned?.deletions.map((each) => ownedSql([], each)).join() ?? '',
            ]).toEqual([table, expect.stringContaining(`delete from ${table} `)]);
          }
        }
      }
    }
  });

  /** The rules by which the owners of a table, and their owners, are deleted. */
  function pruningRootsOf(
    stated: ReadonlyMap<string, readonly Retention[]>,
    table: string,
  ): Prunable[] {
    const retentions = stated.get(table);
    if (!retentions) throw new Error(`no table ${table} in this database`);
    return retentions.flatMap((retention) => {
      if ('withOwner' in retention) return pruningRootsOf(stated, retention.withOwner);
      return isKeptFor(retention) ? [{ ...retention, table, key: [] }] : [];
    });
  }
});
