import { cpus, loadavg, totalmem } from 'node:os';

/** The result of one case of a benchmark; `case` is its name. */
export type CaseResult = { readonly case: string } & Readonly<
  Record<string, number | string | boolean | readonly number[]>
>;
export interface Check {
  readonly name: string;
  readonly value: number | string;
  readonly target: string;
  readonly pass: boolean;
}
export interface Outcome {
  readonly results: readonly CaseResult[];
  readonly checks: readonly Check[];
}
/** @param args what follows the benchmark's name */
export type Benchmark = (
  progress: (line: string) => void,
  args: readonly string[],
) => Promise<Outcome>;

/** Wrong arguments: the message says what to give instead. */
export class UsageError extends Error {}

/** @param broken the names of the invariants that do not hold */
export const invariantsCheck = (broken: readonly string[]): Check => ({
  name: 'invariants',
  value: broken.join('; ') || 'all hold',
  target: 'all hold',
  pass: broken.length === 0,
});

/**
 * The number after `--minutes`; undefined if the arguments do not have it.
 *
 * @throws UsageError if it is no whole number, or less than the least
 */
export function minutesIn(args: readonly string[], least: number): number | undefined {
  const at = args.indexOf('--minutes');
  if (at < 0) return undefined;
  const minutes = Number(args[at + 1]);
  if (Number.isInteger(minutes) && minutes >= least) return minutes;
  throw new UsageError(`--minutes needs a whole number, ${least} at least.`);
}

/** Prints a table, or one line of JSON for each case. @returns whether every check passed */
export function report({ results, checks }: Outcome, json: boolean): boolean {
  const passed = checks.every(({ pass }) => pass);
  if (json) {
    for (const result of results) console.log(JSON.stringify(result));
    console.log(JSON.stringify({ machine: machine(), checks }));
    return passed;
  }
  console.log(`\n${machine()}\n`);
  printTable(results);
  console.log('');
  for (const { name, value, target, pass } of checks) {
    console.log(`${pass ? 'reached' : 'MISSED '}  ${name}: ${value} (target ${target})`);
  }
  return passed;
}

function printTable(results: readonly CaseResult[]): void {
  const columns = [...new Set(results.flatMap((result) => Object.keys(result)))];
  const shown = (value: unknown) => (Array.isArray(value) ? value.join(' / ') : `${value ?? ''}`);
  const rows = [columns, ...results.map((result) => columns.map((name) => shown(result[name])))];
  const widths = columns.map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, n) => {
      const width = widths[n] as number;
      return n === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(cells.join('  '));
  }
}

export function machine(): string {
  const [cpu] = cpus();
  const load = loadavg()[0]?.toFixed(1);
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model}, ${memory} GiB, Node ${process.version}, load ${load} at the end of the run`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [lower, upper] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((lower ?? Number.NaN) + (upper ?? Number.NaN)) / 2;
}

/** @param share 0.5 for the median, 0.99 for p99 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const rounded = (value: number, digits = 1) => Number(value.toFixed(digits));
