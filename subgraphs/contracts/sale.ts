import type { StockKey } from './stock-key.js';

/** The `saleId` of what belongs to no sale. */
export const noSale = '00000000-0000-0000-0000-000000000000';

/** A variant of a shop in a sale. */
export interface SaleKey extends StockKey {
  readonly saleId: string;
}

/** Offers of one sale. */
export const saleOffersMax = 2000;
/** Sales that one call reads. */
export const salesPerCall = 100;
/** Variants of sales whose units one call reads. */
export const saleKeysPerCall = 1000;

/** The enum `SaleState` of the API, which two subgraphs have. */
export const saleStateEnum = [
  'SaleState',
  'Where a sale is in its life. The database’s clock decides between SCHEDULED, LIVE and ENDED.',
  {
    DRAFT: 'It is being prepared: only its owner and admins see it.',
    PUBLISHING: 'Its units are being set aside.',
    SCHEDULED: 'It is published, its units are set aside, and it has not started.',
    LIVE: 'Its units can be bought at its prices.',
    ENDED: 'It is over.',
    PAUSED: 'Nothing can be bought in it until it is resumed. Its window stays the same.',
    CANCELLED: 'It was cancelled. Orders that were placed in it stay valid.',
  },
] as const;
