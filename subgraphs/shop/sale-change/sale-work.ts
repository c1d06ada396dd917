import type { PendingChange } from '../sale/pending-change.js';
import type { SaleStatus, SaleStep } from '../sale/sale-event.js';

/** What a change of a sale has to do next. */
export interface SaleWork {
  readonly saleId: string;
  readonly status: SaleStatus;
  readonly revision: number;
  readonly step: SaleStep;
  readonly pending: PendingChange;
  readonly endsAt: string;
  /** the shops whose warehouses have not applied the revision */
  readonly shopIds: readonly string[];
}
