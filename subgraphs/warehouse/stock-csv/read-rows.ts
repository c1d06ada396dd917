import { Readable } from 'node:stream';
import { type Info, parse } from 'csv-parse';
import { badInput } from '../../shared/errors.js';
import { onHandMax } from '../stock/item-room.js';
import type { InvalidRows } from './invalid-rows.js';

/** Items stay locked while a file is applied, so its length has a limit. */
const rowsMax = 100_000;
// An open quote makes the rest of the file one record; a line that is only too long fits in.
const recordMaxBytes = 10_000;

export const columns = ['sku', 'quantity', 'threshold', 'expected'] as const;
const headers = [2, 3, 4].map((count) => columns.slice(0, count));
const headerList = headers.map((header) => header.join(',')).join(' or ');

export interface StockRow {
  readonly line: number;
  readonly sku: string;
  readonly quantity: number;
  /** null: leave it as it is */
  readonly threshold: number | null;
  /** units on hand on which the file is based; null: not to be checked */
  readonly expected: number | null;
}

interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Reads a file line by line: yields the valid lines and adds the others to `invalid`.
 *
 * @throws `BAD_USER_INPUT` for a file that is empty or has too many lines
 */
export async function* readRows(
  file: readonly Buffer[],
  invalid: InvalidRows,
): AsyncGenerator<StockRow> {
  let header: number | undefined;
  let rows = 0;
  for await (const record of readRecords(file, invalid)) {
    if (header === undefined) {
      header = checkHeader(record, invalid);
      if (header === 0) return;
      continue;
    }
    rows += 1;
    if (rows > rowsMax) throw badInput({ file: `has more than ${rowsMax} lines` });
    const parsed = parseRow(record, header);
    if (typeof parsed === 'string') invalid.add(record.line, record.fields[0] ?? null, parsed);
    else yield parsed;
  }
  if (rows === 0 && invalid.count === 0) throw badInput({ file: 'is empty' });
}

/** @returns the number of columns; 0 for an invalid header */
function checkHeader({ line, fields }: CsvRecord, invalid: InvalidRows): number {
  const header = headers.find(({ length }) => length === fields.length);
  if (header?.every((column, n) => column === fields[n]?.toLowerCase())) return fields.length;
  const reason = `the header must be ${headerList}, with commas or semicolons`;
  invalid.add(line, null, `${reason}; the rest was not read`);
  return 0;
}

const wholeNumber = /^\d{1,15}$/;
const skuPattern = /^[\w.-]{1,64}$/;

const fieldReasons = {
  quantity: `the quantity is not a whole number from 0 to ${onHandMax}`,
  threshold: `the threshold is not a whole number from 0 to ${onHandMax}`,
  expected: `the expected quantity is not a whole number from 0 to ${onHandMax}`,
};

/** @returns the row, or the reason why the line is invalid */
function parseRow({ line, fields }: CsvRecord, columnCount: number): StockRow | string {
  const [sku = '', quantity = '', threshold = '', expected = ''] = fields;
  // No valid field has either: a quote is no part of a sku, and the decoder puts U+FFFD for invalid
  // bytes.
  if (fields.some((field) => field.includes('\ufffd'))) return 'is not UTF-8';
  if (fields.some((field) => /["\r\n]/.test(field))) return 'is malformed CSV';
  if (fields.length > columnCount) return `has more than ${columnCount} columns`;
  if (fields.length < 2) return 'has no quantity';
  if (!skuPattern.test(sku)) return 'is not a SKU';
  if (!isUnits(quantity)) return fieldReasons.quantity;
  if (threshold !== '' && !isUnits(threshold)) return fieldReasons.threshold;
  if (expected !== '' && !isUnits(expected)) return fieldReasons.expected;
  return {
    line,
    sku,
    quantity: Number(quantity),
    threshold: unitsOrNull(threshold),
    expected: unitsOrNull(expected),
  };
}

const unitsOrNull = (text: string) => (text === '' ? null : Number(text));
const isUnits = (text: string) => wholeNumber.test(text) && Number(text) <= onHandMax;

/** The delimiter of the header: the first line with a word. */
function delimiterOf([start]: readonly Buffer[]): string {
  const lines = start?.toString('latin1').split(/[\r\n]+/) ?? [];
  const header = lines.find((line) => /\w/.test(line)) ?? '';
  return /[,;]/.exec(header)?.[0] ?? ',';
}

// In place of a record after which the parser cannot find the next one.
const unreadable = Symbol('unreadable');
type Parsed = typeof unreadable | { readonly record: string[]; readonly info: Info };

async function* readRecords(
  file: readonly Buffer[],
  invalid: InvalidRows,
): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(file),
    info: true,
    max_record_size: recordMaxBytes,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    skip_records_with_error: true,
  });
  parser.on('skip', () => parser.push(unreadable));
  Readable.from(file).pipe(parser);
  let last = 0;
  for await (const each of parser as AsyncIterable<Parsed>) {
    if (each === unreadable) {
      invalid.add(last + 1, null, 'is malformed CSV or too long; the rest was not read');
      return;
    }
    const record = toRecord(each);
    last = record.line;
    yield record;
  }
}

/** A record of several lines has the number of the first. */
function toRecord({ record, info }: Exclude<Parsed, symbol>): CsvRecord {
  const breaks = record.join('').match(/\r\n|\r|\n/g)?.length ?? 0;
  return { line: info.lines - breaks, fields: record.map(withoutSpaces) };
}

const withoutSpaces = (field: string) => field.replace(/^[ \t]+|[ \t]+$/g, '');
