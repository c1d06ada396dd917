import { z } from 'zod';
import { type Call, checkedBy, listOf } from './call.js';
import {
  type CommitRequest,
  type ExtendRequest,
  type ReleaseRequest,
  type ReservationAnswer,
  type ReserveRequest,
  reservationStates,
  type SaleShortage,
} from './reservation.js';
import type { SaleKey } from './sale.js';
import type { StockKey } from './stock-key.js';

/** Units that can be bought, in the order of the keys. */
export const availabilityOf: Call<{ readonly of: readonly StockKey[] }, number[]> = {
  field: 'availabilityOf',
  query: 'query ($of: [StockKeyInput!]!) { availabilityOf(of: $of) }',
  answer: listOf((value) => typeof value === 'number'),
};

const states = new Set<unknown>([...reservationStates, 'SHORT', 'WAITING']);

function isReservationAnswer(value: unknown): value is ReservationAnswer {
  const answer = value as ReservationAnswer | null;
  return (
    typeof answer?.orderId === 'string' &&
    states.has(answer.state) &&
    (answer.state !== 'HELD' || typeof answer.expiresAt === 'string') &&
    (answer.state !== 'SHORT' || Array.isArray(answer.shortages))
  );
}

const answer = checkedBy(isReservationAnswer);
const answerFields =
  'orderId state expiresAt paymentId reason shortages { shopId sku requested available saleId saleShortage }';

/** Reserves stock for orders; what is not decided within `ms` is `WAITING`. */
export const reserveStock: Call<
  { readonly requests: readonly ReserveRequest[]; readonly ms: number },
  ReservationAnswer
> = {
  field: 'reserveStock',
  query: `mutation ($requests: [ReserveInput!]!, $ms: Int) {
    reserveStock(requests: $requests, answerWithinMs: $ms) { ${answerFields} }
  }`,
  answer,
};

/**
 * Commits what is reserved for orders to their payments. If units are missing, the reservation is
 * `RELEASED` as `OUT_OF_STOCK`.
 */
export const commitReservation: Call<
  { readonly requests: readonly CommitRequest[] },
  ReservationAnswer
> = {
  field: 'commitReservation',
  query: `mutation ($requests: [CommitInput!]!) {
    commitReservation(requests: $requests) { ${answerFields} }
  }`,
  answer,
};

/** Puts what is reserved for orders back into stock. */
export const releaseReservation: Call<
  { readonly requests: readonly ReleaseRequest[] },
  ReservationAnswer
> = {
  field: 'releaseReservation',
  query: `mutation ($requests: [ReleaseInput!]!) {
    releaseReservation(requests: $requests) { ${answerFields} }
  }`,
  answer,
};

/**
 * Lets unpaid orders keep their stock for longer, before they are paid. A reservation that is not `HELD`, or is due by
 * the warehouse's clock, stays as it is. `HELD` has the new `expiresAt`; one that is due is `EXPIRED`.
 */
export const extendReservation: Call<
  { readonly requests: readonly ExtendRequest[] },
  ReservationAnswer
> = {
  field: 'extendReservation',
  query: `mutation ($requests: [ExtendInput!]!) {
    extendReservation(requests: $requests) { ${answerFields} }
  }`,
  answer,
};

/** Units of a sale's SKU that a shop sets aside. */
export interface AllocationLine {
  readonly sku: string;
  readonly units: number;
}

/** The units that a sale sets aside in one shop, as a whole. */
export interface SaleAllocation {
  readonly saleId: string;
  readonly shopId: string;
  /** rises with each change: one that is not above the last applied changes nothing */
  readonly revision: number;
  /** the end of the sale, an ISO 8601 time: units that are not held are regular ones from then on */
  readonly endsAt: string;
  /**
   * 1 to 2,000 lines, each SKU once; a SKU of the sale that is not among them gives back what is neither held nor
   * sold. None: the sale is cancelled
   */
  readonly lines: readonly AllocationLine[];
}

/** A line that cannot be allocated as requested. */
export interface RefusedAllocation extends AllocationLine {
  /** what is held and sold */
  readonly least: number;
  /** what is held, sold and available */
  readonly most: number;
  /** the sale that has set units of it aside already, if it is another one */
  readonly otherSaleId: string | null;
}

const refusedAllocation = z.object({
  sku: z.string(),
  units: z.number(),
  least: z.number(),
  most: z.number(),
  otherSaleId: z.string().nullable(),
});

/** What became of an allocation; it is applied if nothing was refused, and there is no `lastRevision`. */
export interface AllocationOutcome {
  readonly refused: readonly RefusedAllocation[];
  /** the last applied revision, if that was another allocation, and of this revision or a higher one */
  readonly lastRevision: number | null;
}

/** Sets units aside for a sale, all lines or none. A repeated allocation is applied once. */
export const allocateSale: Call<{ readonly allocation: SaleAllocation }, AllocationOutcome> = {
  field: 'allocateSale',
  query: `mutation ($allocation: SaleAllocationInput!) {
    allocateSale(allocation: $allocation) {
      refused { sku units least most otherSaleId } lastRevision
    }
  }`,
  answer: z.object({ refused: z.array(refusedAllocation), lastRevision: z.number().nullable() }),
};

/** The units of one SKU of a sale in one shop, read at one time. */
export interface SaleStock extends StockKey {
  readonly allocated: number;
  readonly held: number;
  readonly sold: number;
  /** what the sale can still sell: min(allocated − held − sold, available) */
  readonly remaining: number;
}

/** Whether all units of a sale are sold, which is final. */
export const isSoldOut = ({ allocated, sold }: Pick<SaleStock, 'allocated' | 'sold'>): boolean =>
  allocated > 0 && sold === allocated;

/** The units of one SKU of a sale in one shop, and whether it still sells any. */
export interface SaleUnits extends SaleStock {
  /** whether the SKU is in the sale, which ended `saleGraceMs` ago at most */
  readonly isOpen: boolean;
}

/** Why a sale has fewer units than an order needs. @param units null if it has no allocation */
export const saleShortageOf = (
  units: Pick<SaleUnits, 'allocated' | 'sold' | 'isOpen'> | null,
): SaleShortage => {
  if (!units?.isOpen) return 'OVER';
  return isSoldOut(units) ? 'SOLD_OUT' : 'HELD';
};

const saleStockRow = z.object({
  shopId: z.string(),
  sku: z.string(),
  allocated: z.number(),
  held: z.number(),
  sold: z.number(),
  remaining: z.number(),
});

/** The units of variants in sales, at most `saleKeysPerCall`, read at the primary; null for one without an allocation. */
export const saleUnitsOf: Call<{ readonly of: readonly SaleKey[] }, (SaleUnits | null)[]> = {
  field: 'saleUnitsOf',
  query: `query ($of: [SaleKeyInput!]!) {
    saleUnitsOf(of: $of) { shopId sku allocated held sold remaining isOpen }
  }`,
  answer: z.array(saleStockRow.extend({ isOpen: z.boolean() }).nullable()),
};

/** The units of sales, at most `salesPerCall`, read at the primary; a sale without an allocation has an empty list. In the order of the ids. */
export const saleStockOf: Call<{ readonly saleIds: readonly string[] }, SaleStock[][]> = {
  field: 'saleStockOf',
  query: `query ($saleIds: [UUID!]!) {
    saleStockOf(saleIds: $saleIds) { lines { shopId sku allocated held sold remaining } }
  }`,
  answer: z
    .array(z.object({ lines: z.array(saleStockRow) }))
    .transform((sales) => sales.map(({ lines }) => lines)),
};
