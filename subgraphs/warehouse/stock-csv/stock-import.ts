import type { RequestKey } from '../../shared/idempotency/stored-outcome.js';

export interface StockImport {
  /** the reference of the movements that it writes */
  readonly id: string;
  readonly warehouse: { readonly id: string; readonly shopId: string };
  /** the id of the user who imports */
  readonly actor: string;
  /** how many lines the file has, without its header */
  readonly lines: number;
  /** under which the outcome is stored */
  readonly key: RequestKey | null;
}

/** A row that raises the shortfall of its level. */
export interface ShortfallLine {
  readonly line: number;
  readonly sku: string;
  /** units of the level that are promised or unavailable beyond those on hand, afterwards */
  readonly shortfall: number;
}

export const shortfallLinesMax = 1000;

export interface Shortfalls {
  /** all of them */
  readonly shortfallLineCount: number;
  /** the first `shortfallLinesMax` */
  readonly shortfallLines: readonly ShortfallLine[];
}

/** What became of an import, for its client. */
export interface ImportOutcome extends Shortfalls {
  /** the reference of the movements that it wrote */
  readonly id: string;
  readonly lines: number;
  /** levels with another quantity or threshold than before, new ones included */
  readonly levelsChanged: number;
}
