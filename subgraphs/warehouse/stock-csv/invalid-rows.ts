import { DomainError } from '../../shared/errors.js';

export interface InvalidRow {
  /** counted from 1, the header */
  readonly line: number;
  /** as it stands there, if there is one */
  readonly sku: string | null;
  readonly reason: string;
}

/** So many bad lines are listed, those that come first; all of them are counted. */
export const invalidRowsListedMax = 1000;

const shownMax = 100;

/** What is wrong with a file: each line with one reason. */
export class InvalidRows {
  readonly #listed: InvalidRow[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Takes in one line; of lines that come in order only as many are kept as are listed. */
  add(line: number, sku: string | null, reason: string): void {
    this.#count += 1;
    if (this.#count > invalidRowsListedMax) return;
    this.#listed.push({ line, sku: sku?.slice(0, shownMax) ?? null, reason });
  }

  /**
   * Takes in lines that one rule found.
   *
   * @param rows the first `invalidRowsListedMax` of them
   * @param count how many there are
   */
  addFound(rows: readonly InvalidRow[], count: number): void {
    this.#count += count;
    this.#listed.push(...rows);
  }

  /** `BAD_USER_INPUT` with `badLines` and `badLineCount`. */
  toError(): DomainError {
    const badLines = this.#listed.sort((a, b) => a.line - b.line).slice(0, invalidRowsListedMax);
    const lines = this.#count === 1 ? '1 line is' : `${this.#count} lines are`;
    return new DomainError('BAD_USER_INPUT', `${lines} bad; nothing was changed.`, {
      badLines,
      badLineCount: this.#count,
    });
  }
}
