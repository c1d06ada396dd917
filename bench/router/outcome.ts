import { type MeasuredCases, medianOf } from '../load.js';
import { type CaseResult, type Check, type Outcome, rounded } from '../report.js';
import { type Column, columns } from './gateways/index.js';

export const rowNames = [
  '{ __typename }',
  'one hop',
  'two hops',
  'three hops',
  'two hops, the same page',
] as const;
type Row = (typeof rowNames)[number];

/** Row → the greatest share of the bare gateway's CPU time. */
const shareMax: Partial<Record<Row, number>> = {
  'one hop': 0.55,
  'two hops': 0.55,
  'three hops': 0.55,
  'two hops, the same page': 0.4,
};
const subgraphParts = ['product', 'shop', 'warehouse', 'postgres'];

/** A row for each operation: CPU time of each gateway for one request (requests a second). */
export function outcomeOf(measured: MeasuredCases): Outcome {
  const named = Object.keys(columns) as Column[];
  const present = named.filter((column) => measured.has(`${rowNames[0]}, ${column}`));
  const cpuOf = (row: Row, column: Column, part: string = column) =>
    medianOf(measured, `${row}, ${column}`, ({ cpuMs }) => cpuMs[part] ?? 0);
  const rateOf = (row: Row, column: Column) =>
    medianOf(measured, `${row}, ${column}`, ({ rate }) => rate);
  const results = rowNames.map((row): CaseResult => {
    const oursOf = (part: string) => rounded(cpuOf(row, 'ours', part), 2);
    return {
      case: row,
      ...Object.fromEntries(
        present.flatMap((column) => [
          [`${columns[column]} ms`, rounded(cpuOf(row, column), 3)],
          [`${columns[column]} /s`, rounded(rateOf(row, column), 0)],
        ]),
      ),
      'ours / bare': rounded(cpuOf(row, 'ours') / cpuOf(row, 'bare'), 2),
      ...Object.fromEntries(subgraphParts.map((part) => [`${part} ms`, oursOf(part)])),
      'others %': rounded(
        medianOf(measured, `${row}, ours`, ({ othersShare }) => othersShare * 100),
        0,
      ),
    };
  });
  const rivals = present.filter((column) => column === 'hive' || column === 'hiveRust');
  const checks = rowNames.flatMap((row) => {
    const max = shareMax[row];
    if (max === undefined) return [];
    const share = (column: Column) => cpuOf(row, 'ours') / cpuOf(row, column);
    return [
      checkOf(`${row}: CPU time relative to the bare gateway`, share('bare'), max),
      ...rivals.map((column) =>
        checkOf(`${row}: CPU time relative to ${columns[column]}`, share(column)),
      ),
    ];
  });
  return { results, checks };
}

/** @param max below 1 if it is not given */
function checkOf(name: string, share: number, max?: number): Check {
  return {
    name,
    value: rounded(share, 2),
    target: max === undefined ? '< 1' : `≤ ${max}`,
    pass: max === undefined ? share < 1 : share <= max,
  };
}
