import type { PublishedSaleState, SaleSummary } from '../../../contracts/shop.js';
import { stockKeyOf } from '../../../contracts/stock-key.js';
import { isSoldOut, type SaleStock } from '../../../contracts/warehouse.js';
import type { QueueNumbers } from '../queue-numbers.js';
import { stateAt } from '../sale-state.js';

/** What a sale has of one offer. */
export interface OfferUnits {
  readonly offerId: string;
  /** 0: all is held and may come back, or is sold */
  readonly remaining: number;
  /** nothing is held and nothing is left, which is final */
  readonly soldOut: boolean;
}

/** A sale as everybody sees it at one time. */
export interface SaleSnapshot {
  readonly id: string;
  readonly state: PublishedSaleState;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly offers: readonly OfferUnits[];
  /** null for a sale without a queue */
  readonly queue: QueueNumbers | null;
  /** by the clock of shop's primary, in ms */
  readonly atMs: number;
  readonly version: number;
}

// A GraphQL Int is enough for 17 years of them.
const versionMs = 250;
const versionsSinceMs = Date.UTC(2026, 0, 1);

/**
 * The version of a snapshot rises with time, by one clock for all processes: so one that another process made before
 * never counts as later.
 */
const versionAt = (atMs: number, last: number) =>
  Math.max(last + 1, Math.floor((atMs - versionsSinceMs) / versionMs));

/** What a snapshot is made of. */
interface SaleParts {
  readonly sale: SaleSummary;
  readonly stock: readonly SaleStock[];
  readonly queue: QueueNumbers | null;
}

/**
 * @param atMs the present time by the clock of shop's primary
 * @param last what subscribers have of it
 * @returns `last` where nothing has changed
 */
export function snapshotOf(
  { sale, stock, queue }: SaleParts,
  atMs: number,
  last?: SaleSnapshot,
): SaleSnapshot {
  const state = stateAt(sale, atMs);
  const units = new Map(stock.map((line) => [stockKeyOf(line), line]));
  const offers = sale.offers.map((offer) => {
    return { offerId: offer.offerId, ...unitsOf(state, units.get(stockKeyOf(offer))) };
  });
  const { id, startsAt, endsAt } = sale;
  const now = { id, state, startsAt, endsAt, offers, queue };
  if (last && isSame(now, last)) return last;
  return { ...now, atMs, version: versionAt(atMs, last?.version ?? 0) };
}

function unitsOf(state: PublishedSaleState, line: SaleStock | undefined) {
  const isOver = state === 'ENDED' || state === 'CANCELLED';
  return {
    remaining: isOver ? 0 : (line?.remaining ?? 0),
    soldOut: line !== undefined && isSoldOut(line),
  };
}

type Shown = Omit<SaleSnapshot, 'atMs' | 'version'>;

function isSame(one: Shown, other: Shown): boolean {
  return (
    one.state === other.state &&
    one.startsAt === other.startsAt &&
    one.endsAt === other.endsAt &&
    one.queue?.servingNumber === other.queue?.servingNumber &&
    one.queue?.waiting === other.queue?.waiting &&
    one.queue?.admittedPerMinute === other.queue?.admittedPerMinute &&
    one.offers.length === other.offers.length &&
    one.offers.every(({ offerId, remaining, soldOut }, n) => {
      const before = other.offers[n];
      return (
        before?.offerId === offerId && before.remaining === remaining && before.soldOut === soldOut
      );
    })
  );
}
