import type { SentStatement } from './request-statements.js';

/** A node of a plan, as `explain (format json)` writes it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  /** of a bitmap scan */
  readonly 'Recheck Cond'?: string;
  readonly Filter?: string;
  readonly 'Join Filter'?: string;
  readonly 'Plan Rows': number;
  readonly 'Total Cost': number;
  readonly Plans?: readonly PlanNode[];
}

type Statement = Pick<SentStatement, 'text' | 'values'>;

type Query = <T extends object>(text: string, values?: unknown[]) => Promise<T[]>;

/** The plan of a statement with its values. */
export const explain = async (query: Query, { text, values }: Statement) =>
  rootOf(await query(`explain (format json) ${text}`, [...values]));

/** The plan of a prepared statement, whatever its values. */
export const explainGeneric = async (query: Query, text: string) =>
  rootOf(await query(`explain (generic_plan, format json) ${text}`));

const rootOf = ([row]: { 'QUERY PLAN': [{ Plan: PlanNode }] }[]) =>
  row?.['QUERY PLAN'][0].Plan as PlanNode;

export const nodesOfPlan = (node: PlanNode): PlanNode[] => [
  node,
  ...(node.Plans ?? []).flatMap(nodesOfPlan),
];

export interface PlanLimits {
  /** names of tables that are read by an index only */
  readonly large: ReadonlySet<string>;
  /** rows that may be sorted */
  readonly sortedMax: number;
  /** cost of a scan that reads rows by its index and leaves some out by another condition */
  readonly filteredCostMax: number;
  /** `scan on table: condition` of scans whose condition may leave out more rows */
  readonly plannedByFrequency?: RegExp | undefined;
  /** cost of the statement, which PostgreSQL expects up to its `limit` */
  readonly costMax: number;
}

/** What makes a statement slower the more rows a table has; nothing if the plan is good. */
export function faultsOf(plan: PlanNode, limits: PlanLimits): string[] {
  const faults = nodesOfPlan(plan).flatMap((node) => [
    ...faultsOfScan(node, limits),
    ...faultsOfSort(node, limits),
  ]);
  const cost = plan['Total Cost'];
  return cost > limits.costMax ? [...faults, `cost ${cost}`] : faults;
}

function faultsOfScan(node: PlanNode, limits: PlanLimits): string[] {
  const { large, filteredCostMax, plannedByFrequency } = limits;
  const { 'Relation Name': table = '', 'Node Type': type, Filter: filter } = node;
  if (!large.has(table)) return [];
  if (filter && plannedByFrequency?.test(`${type} on ${table}: ${filter}`)) return [];
  if (type === 'Seq Scan') return [`${type} on ${table}`];
  if (!filter || node['Total Cost'] <= filteredCostMax) return [];
  return [`${type} on ${table} by ${node['Index Name'] ?? 'bitmap'} filters by ${filter}`];
}

function faultsOfSort(node: PlanNode, { sortedMax }: PlanLimits): string[] {
  if (node['Node Type'] !== 'Sort') return [];
  const rows = rowsRead(node);
  return rows > sortedMax ? [`Sort of ${rows} rows`] : [];
}

/** The most rows that a node or one below it returns, other than those that a limit ends early; no index entries. */
function rowsRead(node: PlanNode): number {
  if (node['Node Type'] === 'Bitmap Index Scan') return 0;
  if (node['Node Type'] === 'Limit') return node['Plan Rows'];
  return Math.max(node['Plan Rows'], ...(node.Plans ?? []).map(rowsRead));
}
