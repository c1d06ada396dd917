import { setTimeout as sleep } from 'node:timers/promises';
import { seedId } from '../../dev/seed/ids.js';
import type { GraphQLClient } from '../router/operations.js';
import type { Arrivals } from './arrivals.js';
import type { Buyers } from './buyers.js';
import { importFile } from './stock-file.js';
import { watchStock } from './watch-stock.js';

/** Arrivals a second: together 25 to 40 % of two cores, and 60 requests of each kind a minute or more. */
const rates = { search: 1.2, product: 4, purchase: 4, refresh: 1.2, watch: 1.2 };
// Before each sample the watchers leave, whatever time they have left.
const watchMs = 10_000;
const productsSeen = 2000;
const words = [
  'running shoe',
  'runing shoe',
  'jacket',
  'trail',
  'lamp',
  'cotton',
  'chair',
  'watch',
];

const searchQuery = `query ($search: String) {
  products(first: 20, filter: { search: $search }, sort: RELEVANCE) {
    edges { node { id name images variants { sku name offers(first: 2) { id price { amount } }
      availability { available } } } } pageInfo { endCursor } } }`;
const productQuery = `query ($id: UUID) { product(id: $id) { name description variants { sku name
  offers { id price { amount currencyCode } shop { name } availability { available } }
  availability { available } } } }`;

export interface MixOptions {
  readonly arrivals: Arrivals;
  readonly router: GraphQLClient;
  readonly routerUrl: string;
  readonly buyers: Buyers;
  readonly skus: readonly string[];
  /** @returns the stock file of a minute */
  readonly fileOf: (minute: number) => string;
  readonly vendorToken: () => string;
}

/** Sends the whole mix for some seconds, with one stock file in the middle. */
export async function sendMix(minute: number, seconds: number, options: MixOptions): Promise<void> {
  const { arrivals, router, routerUrl, buyers, skus } = options;
  let sent = minute * 10_000;
  const search = () => {
    const variables = { search: words[sent++ % words.length] };
    return arrivals.measure('search', () => router.send(searchQuery, variables));
  };
  const product = () => {
    const variables = { id: seedId('product', sent++ % productsSeen) };
    return arrivals.measure('product page', () => router.send(productQuery, variables));
  };
  const watch = () => {
    const n = sent++;
    return watchStock({
      url: routerUrl,
      skus: [0, 1, 2].map((at) => skus[(n + at * 7) % skus.length] as string),
      stayMs: watchMs,
      closing: arrivals.closing(),
      // Every second one breaks the connection instead of leaving.
      isAbrupt: n % 2 === 0,
      firstEvent: (opened) => arrivals.measure('subscribe', () => opened),
    });
  };
  const file = () =>
    arrivals.measure('import', () =>
      importFile(routerUrl, options.vendorToken(), options.fileOf(minute)),
    );
  const at = (perSecond: number, work: () => Promise<unknown>) =>
    arrivals.arrive(perSecond, seconds, work);
  await Promise.all([
    at(rates.search, search),
    at(rates.product, product),
    at(rates.purchase, buyers.purchase),
    at(rates.refresh, buyers.refresh),
    at(rates.watch, watch),
    sleep((seconds * 1000) / 2).then(() => arrivals.arrive(1, 1, file)),
  ]);
}
