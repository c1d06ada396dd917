import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../sql.js';
import { addMonths, type Month, monthOf, monthOfPartition } from './month.js';

const rowsMax = 1000;

/** Metrics of partitioned tables, by table. */
export const partitionGauges = (...tables: readonly string[]) => [
  {
    name: 'holdfast_default_partition_rows',
    help: `Rows of a table that no month’s partition takes, at most ${rowsMax}.`,
    label: 'table',
    read: ({ em }: { readonly em: EntityManager }) =>
      readEach(tables, (table) => countInDefault(em, table)),
  },
  {
    name: 'holdfast_partition_months_ahead',
    help: 'Months after the current one that have a partition, without a gap.',
    label: 'table',
    read: ({ em }: { readonly em: EntityManager }) =>
      readEach(tables, (table) => countMonthsAhead(em, table)),
  },
];

const readEach = async (tables: readonly string[], read: (table: string) => Promise<number>) =>
  Object.fromEntries(
    await Promise.all(tables.map(async (table) => [table, await read(table)] as const)),
  );

async function countInDefault(em: EntityManager, table: string): Promise<number> {
  const [row] = await sql<{ count: number }>(
    em,
    `select count(*)::int as count from (select from ${table}_default limit ${rowsMax}) as some`,
  );
  return row?.count ?? 0;
}

/** -1 if the current month has none. */
async function countMonthsAhead(em: EntityManager, table: string): Promise<number> {
  const rows = await sql<{ name: string; now: string }>(
    em,
    `select c.relname as name, now()::text as now
     from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass`,
    [table],
  );
  const months = new Set(rows.map(({ name }) => monthOfPartition(table, name)));
  return consecutive(months, monthOf(new Date(rows[0]?.now ?? 0))) - 1;
}

function consecutive(months: ReadonlySet<Month | null>, from: Month): number {
  let count = 0;
  while (months.has(addMonths(from, count))) count += 1;
  return count;
}
