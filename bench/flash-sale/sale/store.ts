import type { Books } from './books.js';
import type { SaleOptions } from './options.js';
import type { Shopper } from './shoppers.js';

/** How a shopper left the store. */
export type Ending =
  | 'paid'
  | 'left unpaid'
  | 'declined'
  | 'cancelled'
  | 'expired before payment'
  | 'refused';

/** What a shopper waits for: an order, the answer that there is too little stock, the payment. */
export type Wait = 'checkout' | 'refusal' | 'payment';

export interface Visit {
  /** when the shopper arrived, in ms of `performance.now()` */
  readonly arrivedMs: number;
  /** Records a wait that ends now. */
  waited(kind: Wait, sinceMs: number): void;
}

export interface Stock {
  /** units that were not sold; below 0 if the store has sold units that it does not have */
  readonly unsold: number;
  /** units that the next shopper can order */
  readonly available: number;
}

/** A store that holds the sale. */
export interface Store {
  readonly name: string;
  /** those whose CPU time is counted */
  readonly processIds: Readonly<Record<string, number>>;
  /** Sells a cart. @throws if the store neither sells nor refuses it */
  sell(shopper: Shopper, visit: Visit): Promise<Ending>;
  /** requests that waited for a connection of the crowd so far */
  delayed(): number;
  readStock(): Promise<Stock>;
  /** Waits until unpaid orders have expired. @returns how many have */
  settle(): Promise<number>;
  readBooks(): Promise<Books>;
  close(): Promise<void>;
}

const openLoopConnections = 4096;
/** As many connections as requests at once: two of each shopper who repeats. In an open loop nobody may wait for one. */
export const connectionsOf = ({ rate, concurrency }: SaleOptions): number =>
  rate === undefined ? 2 * concurrency : openLoopConnections;

/** Sends a request, or the same one twice at the same moment. @returns the answers */
export const sendOnceOrTwice = <T>(isTwice: boolean, send: () => Promise<T>): Promise<T[]> =>
  Promise.all(isTwice ? [send(), send()] : [send()]);
