import { z } from 'zod';
import { type Call, listOf } from './call.js';

/** Who may buy in a sale. */
export const saleEligibilities = ['ANYONE', 'PROVEN_PHONE', 'ACCOUNT_BEFORE'] as const;
export type SaleEligibility = (typeof saleEligibilities)[number];

/** How buyers get into a sale: at once, or by the queue. */
export const saleAdmissions = ['OPEN', 'QUEUED'] as const;
export type SaleAdmission = (typeof saleAdmissions)[number];

/** What an offer is at its regular price while its sale is live. */
export const whenSoldOuts = ['REGULAR_PRICE', 'SOLD_OUT'] as const;
export type WhenSoldOut = (typeof whenSoldOuts)[number];

/** States of a sale that is published. The clock decides between the first three. */
const publishedSaleStates = ['SCHEDULED', 'LIVE', 'ENDED', 'PAUSED', 'CANCELLED'] as const;
export type PublishedSaleState = (typeof publishedSaleStates)[number];

/** What a sale is for one of its offers. */
export interface SaleTerms {
  readonly id: string;
  /** by the clock of shop's primary, in the read that `decidedAt` is of */
  readonly state: PublishedSaleState;
  /** a decimal number, in the currency of the offer */
  readonly priceAmount: string;
  /** units for each customer in the sale; null: any number */
  readonly limitPerCustomer: number | null;
  /** ISO 8601 */
  readonly startsAt: string;
  readonly endsAt: string;
  /** how long its units are held unpaid; null: as long as those of any order */
  readonly holdMinutes: number | null;
  readonly admission: SaleAdmission;
  /** of `QUEUED`: how long an admission lasts, and how many there are in a minute at most; null: any number */
  readonly admissionMinutes: number;
  readonly admissionsPerMinute: number | null;
  /** how long the sale was paused in all, at `decidedAt` */
  readonly pausedMs: number;
  readonly eligibility: SaleEligibility;
  /** of `ACCOUNT_BEFORE`: accounts made later may not buy; ISO 8601 */
  readonly accountBefore: string | null;
  readonly whenSoldOut: WhenSoldOut;
}

/** An offer as the shop subgraph has it at this moment. */
export interface OfferForSale {
  readonly id: string;
  readonly shopId: string;
  readonly sku: string;
  readonly name: string;
  /** a decimal number */
  readonly priceAmount: string;
  readonly currencyCode: string;
  /** null: any number of units */
  readonly purchaseLimit: number | null;
  readonly active: boolean;
  /** units of it that one customer may hold unpaid; null: the setting of the order subgraph */
  readonly holdLimit: number | null;
  /** the sale that it is in: published, and neither ended nor cancelled */
  readonly sale: SaleTerms | null;
  /** the clock of shop's primary in this read, ISO 8601 */
  readonly decidedAt: string;
}

const states = new Set<unknown>(publishedSaleStates);
const isNumberOrNull = (value: unknown) => value === null || typeof value === 'number';
const isTextOrNull = (value: unknown) => value === null || typeof value === 'string';

function isSaleTerms(value: unknown): value is SaleTerms {
  const sale = value as SaleTerms | null | undefined;
  return (
    typeof sale?.id === 'string' &&
    states.has(sale.state) &&
    typeof sale.priceAmount === 'string' &&
    isNumberOrNull(sale.limitPerCustomer) &&
    typeof sale.startsAt === 'string' &&
    typeof sale.endsAt === 'string' &&
    isNumberOrNull(sale.holdMinutes) &&
    typeof sale.admission === 'string' &&
    typeof sale.admissionMinutes === 'number' &&
    isNumberOrNull(sale.admissionsPerMinute) &&
    typeof sale.pausedMs === 'number' &&
    typeof sale.eligibility === 'string' &&
    isTextOrNull(sale.accountBefore) &&
    typeof sale.whenSoldOut === 'string'
  );
}

function isOfferForSale(value: unknown): value is OfferForSale {
  const offer = value as OfferForSale | null;
  return (
    typeof offer?.id === 'string' &&
    typeof offer.shopId === 'string' &&
    typeof offer.sku === 'string' &&
    typeof offer.name === 'string' &&
    typeof offer.priceAmount === 'string' &&
    typeof offer.currencyCode === 'string' &&
    isNumberOrNull(offer.purchaseLimit) &&
    typeof offer.active === 'boolean' &&
    isNumberOrNull(offer.holdLimit) &&
    (offer.sale === null || isSaleTerms(offer.sale)) &&
    typeof offer.decidedAt === 'string'
  );
}

/** Offers as they are now; unknown ids are left out. */
export const offersForSale: Call<{ readonly ids: readonly string[] }, OfferForSale[]> = {
  field: 'offersForSale',
  query: `query ($ids: [UUID!]!) {
    offersForSale(ids: $ids) {
      id shopId sku name priceAmount currencyCode purchaseLimit active holdLimit decidedAt
      sale { id state priceAmount limitPerCustomer startsAt endsAt holdMinutes admission
        admissionMinutes admissionsPerMinute pausedMs eligibility accountBefore whenSoldOut }
    }
  }`,
  answer: listOf(isOfferForSale),
};

export interface ShopOwner {
  readonly shopId: string;
  readonly ownerId: string;
}

/** Who owns these shops; unknown ids are left out. */
export const shopOwners: Call<{ readonly ids: readonly string[] }, ShopOwner[]> = {
  field: 'shopOwners',
  query: 'query ($ids: [UUID!]!) { shopOwners(ids: $ids) { shopId ownerId } }',
  answer: z.array(z.object({ shopId: z.string(), ownerId: z.string() })),
};

/** The ids of the shops that a user owns. */
export const shopsOfOwner: Call<{ readonly ownerId: string }, string[]> = {
  field: 'shopsOfOwner',
  query: 'query ($ownerId: UUID!) { shopsOfOwner(ownerId: $ownerId) }',
  answer: z.array(z.string()),
};

/** A sale, for the stream of it and its queue; what its offers cost is in `offersForSale`. */
export interface SaleSummary {
  readonly id: string;
  readonly state: PublishedSaleState;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly admission: SaleAdmission;
  /** of `QUEUED`, as in `SaleTerms` */
  readonly admissionMinutes: number;
  readonly admissionsPerMinute: number | null;
  /** how long the sale was paused in all, at `decidedAt` */
  readonly pausedMs: number;
  /** whether it is paused, or was when it ended */
  readonly isPaused: boolean;
  readonly eligibility: SaleEligibility;
  readonly accountBefore: string | null;
  /** the shops of its offers, and their owners */
  readonly shops: readonly ShopOwner[];
  readonly offers: readonly {
    readonly offerId: string;
    readonly shopId: string;
    readonly sku: string;
  }[];
  /** the clock of shop's primary in this read */
  readonly decidedAt: string;
}

const saleSummary = z.object({
  id: z.string(),
  state: z.enum(publishedSaleStates),
  startsAt: z.string(),
  endsAt: z.string(),
  admission: z.enum(saleAdmissions),
  admissionMinutes: z.number(),
  admissionsPerMinute: z.number().nullable(),
  pausedMs: z.number(),
  isPaused: z.boolean(),
  eligibility: z.enum(saleEligibilities),
  accountBefore: z.string().nullable(),
  shops: z.array(z.object({ shopId: z.string(), ownerId: z.string() })),
  offers: z.array(z.object({ offerId: z.string(), shopId: z.string(), sku: z.string() })),
  decidedAt: z.string(),
});

/** A published sale with a queue, for the queue. */
export type QueuedSale = Omit<SaleSummary, 'isPaused' | 'shops' | 'offers' | 'decidedAt'>;

/** Sales of one call, those that end first. */
export const queuedSalesMax = 1000;

/** Published sales with a queue that are not over for more than an hour, read at the primary. */
export const queuedSales: Call<Record<string, never>, QueuedSale[]> = {
  field: 'queuedSales',
  query: `query {
    queuedSales {
      id state startsAt endsAt admission admissionMinutes admissionsPerMinute pausedMs
      eligibility accountBefore
    }
  }`,
  answer: z.array(saleSummary.omit({ isPaused: true, shops: true, offers: true, decidedAt: true })),
};

/** Published sales, read at the primary; unknown ids and drafts are left out. */
export const salesById: Call<{ readonly ids: readonly string[] }, SaleSummary[]> = {
  field: 'salesById',
  query: `query ($ids: [UUID!]!) {
    salesById(ids: $ids) {
      id state startsAt endsAt admission admissionMinutes admissionsPerMinute pausedMs
      isPaused eligibility accountBefore decidedAt
      shops { shopId ownerId } offers { offerId shopId sku }
    }
  }`,
  answer: z.array(saleSummary),
};
