import type { WhenSoldOut } from '../../contracts/shop.js';

/** The terms of an offer in a sale. */
export interface SaleLine {
  readonly offerId: string;
  readonly priceAmount: string;
  readonly allocation: number;
  readonly limitPerCustomer: number | null;
  readonly whenSoldOut: WhenSoldOut;
}

/** A change of a sale that becomes valid once the warehouse has set its units aside. */
export type PendingChange =
  | { readonly kind: 'PUBLISH' }
  | { readonly kind: 'CANCEL' }
  | {
      readonly kind: 'CHANGE';
      /** it becomes valid before the start of the sale, or not at all */
      readonly beforeStart: boolean;
      /** ISO 8601 */
      readonly startsAt: string;
      readonly endsAt: string;
      /** all lines of the sale; null: those that it has */
      readonly lines: readonly SaleLine[] | null;
    };

/** A line of a sale for which the warehouse cannot set the units aside. */
export interface RefusedLine {
  readonly offerId: string;
  readonly units: number;
  readonly least: number;
  readonly most: number;
  readonly otherSaleId: string | null;
}
