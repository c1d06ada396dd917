import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';

/*
 * Statistics of tables with millions of rows, in an empty database: PostgreSQL plans by these alone. It takes
 * the number of rows of a page from them, and the number of pages from the length of the files: these are
 * lengthened, without content. So nothing but `explain` may be run afterwards.
 */

/** What is known of the values of a column. */
export interface ColumnStatistics {
  /** number of distinct values; a negative one is a fraction of the rows */
  readonly distinct?: number;
  /** value → its fraction of the rows */
  readonly common?: Readonly<Record<string, number>>;
  /** fraction of the rows without a value */
  readonly nulls?: number;
  /** values that divide the others into parts of the same number */
  readonly bounds?: readonly string[];
  /** of a `tsvector`: word → the fraction of the rows that contain it */
  readonly words?: Readonly<Record<string, number>>;
}

export interface LargeTables {
  readonly rows: number;
  /** tables that do not grow, and keep the statistics of an empty one */
  readonly small: readonly string[];
  /** `table.column` or `index.column` → its statistics; `column` → those of each table that has it */
  readonly columns: Readonly<Record<string, ColumnStatistics>>;
}

interface Relation {
  readonly name: string;
  /** the partitioned table of a partition; else the table */
  readonly table: string;
  readonly kind: string;
  readonly path: string;
  /** SQL for the condition of a partial index */
  readonly condition: string | null;
}

const pageBytes = 8192;
const segmentPages = 131_072;
const rowsOfPage = 80;
const entriesOfPage = 200;

/** @returns the names of the large tables, each partition too */
export async function setLargeTables(
  client: pg.Client,
  { rows, small, columns }: LargeTables,
): Promise<ReadonlySet<string>> {
  const { rows: all } = await client.query<Relation>(relationsSql);
  const relations = all.filter(({ table }) => !small.includes(table));
  const tables = relations.filter(({ kind }) => kind === 'r');
  const { rows: folders } = await client.query('show data_directory');
  const folder = folders[0].data_directory;
  for (const table of tables) {
    await setRows(client, table, rows, rowsOfPage);
    await lengthen(folder, table, rows, rowsOfPage);
  }
  for (const { name, table } of relations) await setColumns(client, name, table, columns);
  for (const index of relations.filter(({ kind }) => kind === 'i')) {
    const { table, condition } = index;
    const entries = condition ? await estimate(client, table, condition) : rows;
    await setRows(client, index, entries, entriesOfPage);
    await lengthen(folder, index, entries, entriesOfPage);
  }
  return new Set(tables.map(({ name }) => name));
}

const relationsSql = `
  select c.relname as name, c.relkind as kind, pg_relation_filepath(c.oid) as path,
    coalesce(parent.relname, t.relname, c.relname) as table,
    pg_get_expr(i.indpred, i.indrelid) as condition
  from pg_class c
    left join pg_index i on i.indexrelid = c.oid
    left join pg_class t on t.oid = i.indrelid
    left join pg_inherits h on h.inhrelid = coalesce(t.oid, c.oid)
    left join pg_class parent on parent.oid = h.inhparent
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i')`;

const pagesOf = (rows: number, perPage: number) => Math.ceil(rows / perPage) + 1;

async function setRows(client: pg.Client, { name }: Relation, rows: number, perPage: number) {
  await client.query(
    `select pg_restore_relation_stats('schemaname', 'public', 'relname', $1::text,
       'relpages', $2::integer, 'reltuples', $3::real, 'relallvisible', $2::integer)`,
    [name, pagesOf(rows, perPage), rows],
  );
}

/** A file has at most a gigabyte, then follows the next one. */
async function lengthen(folder: string, { path }: Relation, rows: number, perPage: number) {
  const pages = pagesOf(rows, perPage);
  for (let segment = 0; segment * segmentPages < pages; segment++) {
    const own = Math.min(pages - segment * segmentPages, segmentPages);
    const file = join(folder, segment === 0 ? path : `${path}.${segment}`);
    await truncate(file, own * pageBytes);
  }
}

async function setColumns(
  client: pg.Client,
  relation: string,
  table: string,
  columns: LargeTables['columns'],
) {
  const { rows } = await client.query<{ name: string; isUnique: boolean; isIndex: boolean }>(
    `select a.attname as name, c.relkind = 'i' as "isIndex", exists (select from pg_index
       where indrelid = a.attrelid and indisunique and indnatts = 1 and indkey[0] = a.attnum)
         as "isUnique"
     from pg_attribute a join pg_class c on c.oid = a.attrelid
     where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped`,
    [relation],
  );
  for (const { name, isUnique, isIndex } of rows) {
    const own = columns[`${relation}.${name}`] ?? columns[`${table}.${name}`];
    if (isIndex && !columns[`${relation}.${name}`]) continue;
    const usual = isUnique ? { distinct: -1 } : (columns[name] ?? { distinct: -0.1 });
    await setColumn(client, relation, name, own ?? usual);
  }
}

async function setColumn(
  client: pg.Client,
  relation: string,
  name: string,
  { distinct = -0.1, common = {}, nulls = 0, bounds, words }: ColumnStatistics,
) {
  const values: unknown[] = [relation, name, nulls, distinct];
  const more: string[] = [];
  const add = (statistic: string, type: string, value: unknown) => {
    values.push(value);
    more.push(`'${statistic}', $${values.length}::${type}`);
  };
  if (Object.keys(common).length > 0) {
    add('most_common_vals', 'text[]::text', Object.keys(common));
    add('most_common_freqs', 'real[]', Object.values(common));
  }
  if (bounds) add('histogram_bounds', 'text[]::text', bounds);
  if (words) {
    const sorted = Object.entries(words).sort(([a], [b]) => (a < b ? -1 : 1));
    const frequencies = sorted.map(([, frequency]) => frequency);
    add(
      'most_common_elems',
      'text[]::text',
      sorted.map(([word]) => word),
    );
    // The statistic ends with the least and the greatest frequency.
    const ends = [Math.min(...frequencies), Math.max(...frequencies)];
    add('most_common_elem_freqs', 'real[]', [...frequencies, ...ends]);
  }
  await client.query(
    `select pg_restore_attribute_stats('schemaname', 'public', 'relname', $1::text,
       'attname', $2::text, 'inherited', false, 'null_frac', $3::real, 'n_distinct', $4::real,
       'avg_width', 16, 'correlation', 0::real ${more.map((each) => `, ${each}`).join('')})`,
    values,
  );
}

/** The rows of a condition, as PostgreSQL estimates them. */
async function estimate(client: pg.Client, table: string, condition: string): Promise<number> {
  const { rows } = await client.query(
    `explain (format json) select from ${table} where ${condition}`,
  );
  return rows[0]['QUERY PLAN'][0].Plan['Plan Rows'];
}
