import type { SaleAdmission, SaleEligibility, WhenSoldOut } from '../../contracts/shop.js';

/** The terms of an offer in a sale. */
export interface SaleLine {
  readonly offerId: string;
  readonly priceAmount: string;
  readonly allocation: number;
  readonly limitPerCustomer: number | null;
  readonly whenSoldOut: WhenSoldOut;
}

/** What a change does to the lines of a sale. Its other lines stay as they are. */
export interface LineChanges {
  /** lines that are added, or have other terms */
  readonly lines: readonly SaleLine[];
  /** ids of offers that are taken out */
  readonly removed: readonly string[];
}

interface PendingTerms {
  readonly holdMinutes: number | null;
  readonly admission: SaleAdmission;
  readonly admissionMinutes: number;
  readonly admissionsPerMinute: number | null;
  readonly eligibility: SaleEligibility;
  /** ISO 8601 */
  readonly accountBefore: string | null;
}

interface PendingWindow extends LineChanges {
  readonly kind: 'CHANGE';
  /** it becomes valid as long as the sale may change before its start, or not at all */
  readonly beforeStart: boolean;
  /** ISO 8601 */
  readonly startsAt: string;
  readonly endsAt: string;
  /** null: those that it has */
  readonly terms: PendingTerms | null;
}

/** A change of a sale that becomes valid once the warehouse has set its units aside. */
export type PendingChange = (
  | { readonly kind: 'PUBLISH' }
  | { readonly kind: 'CANCEL' }
  | PendingWindow
) & {
  /** the shops that are requested: those whose units or end change */
  readonly shopIds: readonly string[];
};

/** A line of a sale for which the warehouse cannot set the units aside. */
export interface RefusedLine {
  readonly offerId: string;
  readonly units: number;
  readonly least: number;
  readonly most: number;
  readonly otherSaleId: string | null;
}

/** Why a change did not become valid: by its lines, or by a message for the client. */
export type Refused = { readonly lines: readonly RefusedLine[] } | { readonly conflict: string };

/** The last change that did not become valid. */
export type RefusedChange = Refused & {
  /** the revision under which the change was stored */
  readonly revision: number;
};
