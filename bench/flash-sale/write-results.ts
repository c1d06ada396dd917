import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../ops/subgraph-names.js';
import { type CaseResult, machine, type Outcome } from '../report.js';
import { latencyPlot, stockPlot } from './plots.js';
import type { Sale } from './sale/hold-sale.js';
import type { SaleOptions } from './sale/options.js';

const folder = 'bench/results';
const report = 'flash-sale.md';
const latencies = 'flash-sale-latency.svg';
const stock = 'flash-sale-stock.svg';

/** Writes the table, the checks and both plots. @returns the paths of the files, from the root of the repository */
export function writeResults(
  options: SaleOptions,
  { results, checks }: Outcome,
  sales: readonly Sale[],
): string[] {
  const about = describe(options);
  const files = {
    [latencies]: latencyPlot(about, sales),
    [stock]: stockPlot(about, sales),
    [report]: [
      '# A flash sale',
      about,
      machine(),
      tableOf(results),
      `![How long shoppers waited](${latencies})`,
      `![Stock during the sale](${stock})`,
      checks
        .map(
          ({ pass, name, value, target }) =>
            `- ${pass ? 'reached' : 'MISSED'}: ${name}: ${value} (target ${target})`,
        )
        .join('\n'),
      '',
    ].join('\n\n'),
  };
  mkdirSync(join(root, folder), { recursive: true });
  return Object.entries(files).map(([name, text]) => {
    writeFileSync(join(root, folder, name), text);
    return `${folder}/${name}`;
  });
}

function describe(options: SaleOptions): string {
  const { units, skus, shoppers, rate, concurrency, neverPay, decline, cancel, repeat } = options;
  const shelf = `${units} units of ${skus === 1 ? 'one SKU' : `${skus} SKUs`}`;
  const crowd =
    rate === undefined
      ? `${shoppers} shoppers, ${concurrency} at once`
      : `${shoppers} shoppers, ${rate} a second`;
  const mix = `${neverPay} % never pay, ${decline} % are declined, ${cancel} % cancel, ${repeat} % repeat`;
  return `${shelf}, ${crowd}, carts of 1 to 3 units; ${mix}`;
}

function tableOf(results: readonly CaseResult[]): string {
  const columns = [...new Set(results.flatMap((result) => Object.keys(result)))];
  const rows = results.map((result) => columns.map((column) => `${result[column] ?? ''}`.trim()));
  const header = columns.map((column) => (column === 'case' ? '' : column));
  const lines = [header, columns.map((_, n) => (n === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
