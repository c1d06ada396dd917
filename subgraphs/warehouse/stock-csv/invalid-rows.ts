import { DomainError } from '../../shared/errors.js';

export interface InvalidRow {
  /** counted from 1, which is the header */
  readonly line: number;
  /** as in the file, if there is one */
  readonly sku: string | null;
  readonly reason: string;
}

/** How many invalid lines are listed, the first of the file; all are counted. */
export const invalidRowsListedMax = 1000;

const shownMax = 100;

/** The invalid lines of a file, each with one reason. */
export class InvalidRows {
  readonly #listed: InvalidRow[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds one line. Lines must come in order: only the first `invalidRowsListedMax` are kept. */
  add(line: number, sku: string | null, reason: string): void {
    this.#count += 1;
    if (this.#count > invalidRowsListedMax) return;
    this.#listed.push({ line, sku: sku?.slice(0, shownMax) ?? null, reason });
  }

  /**
   * Adds lines that break one rule.
   *
   * @param rows the first `invalidRowsListedMax` of them
   * @param count how many there are in all
   */
  addFound(rows: readonly InvalidRow[], count: number): void {
    this.#count += count;
    this.#listed.push(...rows);
  }

  /** `BAD_USER_INPUT` with `badLines` and `badLineCount`. */
  toError(): DomainError {
    const badLines = this.#listed.sort((a, b) => a.line - b.line).slice(0, invalidRowsListedMax);
    const lines = this.#count === 1 ? '1 line is' : `${this.#count} lines are`;
    return new DomainError('BAD_USER_INPUT', `${lines} invalid; nothing was changed.`, {
      badLines,
      badLineCount: this.#count,
    });
  }
}
