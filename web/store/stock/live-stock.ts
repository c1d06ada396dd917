import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { StockChangedDocument, type StockChangedSubscription } from '../graph/operations.js';
import { followPublic } from '../session/streams.js';
import { type Level, unknownStock, type VariantStock, withShopLevel, withTotal } from './levels.js';

type StockChange = StockChangedSubscription['stockChanged'];

/** Most SKUs of one subscription (API). */
const skusMax = 100;
const resubscribeAfterMs = 200;
// The snapshot of a subscription comes in many messages: the shops of a variant are added up once all are there.
const applyAfterMs = 100;

const stocks = new Map<string, Signal<VariantStock>>();
/** SKU → number of components that watch it */
const watched = new Map<string, number>();
let followed: ReadonlySet<string> = new Set();
let unfollow: (() => void) | undefined;
let resubscribeTimer: ReturnType<typeof setTimeout> | undefined;
let received: StockChange[] = [];

function signalOf(sku: string): Signal<VariantStock> {
  let known = stocks.get(sku);
  if (!known) {
    known = signal(unknownStock);
    stocks.set(sku, known);
  }
  return known;
}

/** The availability of a variant, as it changes while someone watches it. */
export const stockOf = (sku: string): ReadonlySignal<VariantStock> => signalOf(sku);

/** Stores the answer of a query: the units of a variant in all shops together. */
export function noteTotal(sku: string, level: Level): void {
  const known = signalOf(sku);
  known.value = withTotal(known.peek(), level);
}

/** Stores the answer of a query: the units of a variant in one shop. */
export function noteShopLevel(sku: string, shopId: string, level: Level): void {
  const known = signalOf(sku);
  known.value = withShopLevel(known.peek(), shopId, level);
}

/** Follows variants until the returned function is called. All watched ones share one subscription. */
export function watchSkus(skus: readonly string[]): () => void {
  for (const sku of skus) watched.set(sku, (watched.get(sku) ?? 0) + 1);
  resubscribeSoon();
  return () => {
    for (const sku of skus) {
      const left = (watched.get(sku) ?? 1) - 1;
      if (left > 0) watched.set(sku, left);
      else watched.delete(sku);
    }
    resubscribeSoon();
  };
}

/** Scrolling changes what is watched many times a second. */
function resubscribeSoon(): void {
  clearTimeout(resubscribeTimer);
  resubscribeTimer = setTimeout(resubscribe, resubscribeAfterMs);
}

function resubscribe(): void {
  const wanted = new Set(watched.keys());
  if (wanted.size === followed.size && [...wanted].every((sku) => followed.has(sku))) return;
  const former = unfollow;
  followed = wanted;
  unfollow = wanted.size > 0 ? follow([...wanted].sort()) : undefined;
  former?.();
}

/** More SKUs than one subscription may have are rare: then there are several, over the same connection. */
function follow(skus: readonly string[]): () => void {
  const stops: (() => void)[] = [];
  for (let at = 0; at < skus.length; at += skusMax) {
    const part = skus.slice(at, at + skusMax);
    stops.push(
      followPublic(StockChangedDocument, { skus: part }, ({ stockChanged }) =>
        receive(stockChanged),
      ),
    );
  }
  return () => {
    for (const stop of stops) stop();
  };
}

function receive(change: StockChange): void {
  if (received.length === 0) setTimeout(applyReceived, applyAfterMs);
  received.push(change);
}

function applyReceived(): void {
  const changes = received;
  received = [];
  batch(() => {
    for (const { variant, shop, available, version } of changes) {
      if (variant && shop) noteShopLevel(variant.sku, shop.id, { available, version });
    }
  });
}
