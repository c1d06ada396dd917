import { type CaseResult, type Check, median, rounded } from '../report.js';

/** A multiple of the first minutes, and an absolute difference, for figures that are small. */
export interface Limit {
  readonly times: number;
  readonly more?: number;
}

/** A figure of a run. */
export interface Series {
  readonly name: string;
  /** one for each minute of the run */
  readonly values: readonly number[];
  /** what the last minutes may have at most; none if it is only shown */
  readonly limit?: Limit;
}

export interface Windows {
  /** minutes, counted from 1 */
  readonly first: readonly number[];
  readonly last: readonly number[];
}

const startMinute = 5;
// In the first minute caches are empty, code is not compiled, and nothing has expired or been pruned.
const startMinuteMin = 2;
const minutesOfWindow = 3;
const longMinutes = 12;
const warmUpShare = 1 / 4;

/** Which minutes are compared: 5 to 7 with 18 to 20 of 20; single minutes of a run under 12. */
export function windowsOf(minutes: number): Windows {
  const start = Math.min(startMinute, Math.max(startMinuteMin, Math.ceil(minutes * warmUpShare)));
  const size = minutes >= longMinutes ? minutesOfWindow : 1;
  const range = (from: number) => Array.from({ length: size }, (_, n) => from + n);
  return { first: range(start), last: range(minutes - size + 1) };
}

function medianOf(values: readonly number[], minutes: readonly number[]): number {
  const chosen = minutes.map((minute) => values[minute - 1] ?? Number.NaN);
  return chosen.some(Number.isNaN) ? Number.NaN : median(chosen);
}

const spanOf = (minutes: readonly number[]) =>
  minutes.length === 1 ? `minute ${minutes[0]}` : `minutes ${minutes[0]}–${minutes.at(-1)}`;

/** Compares the medians of both windows, and each that has a limit with it. A figure that is missing fails. */
export function compare(all: readonly Series[], { first, last }: Windows) {
  const results: CaseResult[] = [];
  const checks: Check[] = [];
  for (const { name, values, limit } of all) {
    const [from, to] = [medianOf(values, first), medianOf(values, last)];
    results.push({
      case: name,
      [spanOf(first)]: rounded(from, 2),
      [spanOf(last)]: rounded(to, 2),
      times: from === to ? 1 : rounded(to / from, 3),
      'each minute': values,
    });
    if (!limit) continue;
    const { times, more = 0 } = limit;
    const max = from * times + more;
    const target = `≤ ${rounded(max, 2)}: ${times} × ${rounded(from, 2)}${more > 0 ? ` + ${more}` : ''}`;
    checks.push({ name, value: rounded(to, 2), target, pass: to <= max });
  }
  return { results, checks };
}
