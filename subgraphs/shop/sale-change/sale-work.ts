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
  /** the shops whose warehouses have not applied the revision; they are sent one that is higher by what they skipped */
  readonly shops: readonly { readonly shopId: string; readonly skipped: number }[];
}
