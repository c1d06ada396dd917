import type { EntityManager } from '@mikro-orm/postgresql';
import type { SaleSummary } from '../../../contracts/shop.js';
import { stockKeyOf } from '../../../contracts/stock-key.js';
import { isSoldOut, type SaleStock } from '../../../contracts/warehouse.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { isTryAgain } from '../../../shared/errors.js';
import { newId } from '../../../shared/ids.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { failPoint } from '../../../shared/resilience/fail-point.js';
import type { SaleReads } from '../../sale/read-sales.js';
import { stateAt } from '../../sale/sale-state.js';
import { admitSql, countSql, endSql, leaseSql } from './admission-sql.js';

/** How often the terms of a sale are read: it may be paused, and its end may become earlier. */
const readEveryMs = 1000;
/** Where so few units are free, no more customers are admitted than there are units. */
const fewUnits = 20;
const admissionsPerUnit = 1.5;

/** Admissions without a held order that a sale may have, with so many free units. */
export const openAdmissionsMax = (freeUnits: number): number =>
  freeUnits <= fewUnits ? freeUnits : Math.floor(freeUnits * admissionsPerUnit);

interface KnownSale {
  readonly sale: SaleSummary;
  /** the monotonic clock before it was read */
  readonly readAtMs: number;
}

/** Admits those whose turn it is, in the queues whose lease this process has or gets. */
export type AdmitWaiting = () => Promise<void>;

/**
 * The worker of one process. A turn counts admissions first and reads the free units afterwards, so that an order that
 * is held in between is in both numbers. Without an answer of shop or warehouse nobody is admitted.
 */
export function createAdmission(em: EntityManager, reads: SaleReads, logger: Logger): AdmitWaiting {
  let token = newId();
  const known = new Map<string, KnownSale>();

  async function readStale(ids: readonly string[]): Promise<void> {
    for (const id of known.keys()) if (!ids.includes(id)) known.delete(id);
    const readAtMs = performance.now();
    const isFresh = (id: string) => (known.get(id)?.readAtMs ?? 0) > readAtMs - readEveryMs;
    const stale = ids.filter((id) => !isFresh(id));
    if (stale.length === 0) return;
    const read = await reads.sales(stale);
    for (const [id, sale] of read) known.set(id, { sale, readAtMs });
  }

  async function turn(): Promise<void> {
    const before = token;
    token = newId();
    const leased = await sqlPrepared<{ saleId: string }>(em.fork(), leaseSql, [token, before]);
    if (leased.length === 0) return known.clear();
    await readStale(leased.map(({ saleId }) => saleId));
    const sales = [...known.values()].map(({ sale, readAtMs }) => {
      const nowMs = Date.parse(sale.decidedAt) + performance.now() - readAtMs;
      return { sale, state: stateAt(sale, nowMs) };
    });
    const over = sales.filter(({ state }) => state === 'ENDED' || state === 'CANCELLED');
    await end(over.map(({ sale }) => sale.id));
    await admit(sales.flatMap(({ sale, state }) => (state === 'LIVE' ? [sale] : [])));
  }

  async function admit(sales: readonly SaleSummary[]): Promise<void> {
    if (sales.length === 0) return;
    const terms = sales.map(termsOf);
    const counts = await sqlPrepared<Counted>(
      em.fork(),
      countSql.text,
      countSql.parameters.values({ terms }),
    );
    const counted = new Map(counts.map(({ saleId, ...count }) => [saleId, count]));
    const stock = await reads.stock(sales.map(({ id }) => id));
    const soldOut: string[] = [];
    const rows = sales.flatMap((sale) => {
      const lines = linesOf(sale, stock.get(sale.id) ?? []);
      if (isQueueOver(sale, lines)) {
        soldOut.push(sale.id);
        return [];
      }
      const freeUnits = lines.reduce((sum, { remaining }) => sum + remaining, 0);
      const count = counted.get(sale.id) as Omit<Counted, 'saleId'>;
      return {
        ...{ ...termsOf(sale), ...count, open_max: openAdmissionsMax(freeUnits) },
        per_minute: sale.admissionsPerMinute,
      };
    });
    await end(soldOut);
    if (rows.length === 0) return;
    failPoint('units of queues read, nobody admitted');
    const values = admitSql.parameters.values({ turn: rows, token });
    const admitted = await sqlPrepared<Admitted>(em.fork(), admitSql.text, values);
    for (const each of admitted) logger.debug({ ...each }, 'customers admitted');
  }

  async function end(saleIds: readonly string[]): Promise<void> {
    if (saleIds.length === 0) return;
    await sqlPrepared(em.fork(), endSql, [saleIds, token]);
    logger.info({ saleIds }, 'queues of sales ended');
  }

  return () =>
    turn().catch((error) => {
      if (!isTryAgain(error)) throw error;
      logger.debug({ err: error }, 'nobody admitted');
    });
}

interface Counted {
  readonly saleId: string;
  readonly counted: number;
  readonly snapshot: string;
  readonly counted_at: string;
}
interface Admitted {
  readonly saleId: string;
  readonly admitted: number;
}

const termsOf = ({ id, admissionMinutes, pausedMs }: SaleSummary) => {
  return { sale_id: id, admission_ms: admissionMinutes * 60_000, paused_ms: pausedMs };
};

/** Whether all that the sale has is sold, which is final. */
const isQueueOver = ({ offers }: SaleSummary, lines: readonly SaleStock[]): boolean =>
  lines.length > 0 && lines.length === offers.length && lines.every(isSoldOut);

/** The units of the offers that a sale has now. */
function linesOf({ offers }: SaleSummary, stock: readonly SaleStock[]): SaleStock[] {
  const units = new Map(stock.map((line) => [stockKeyOf(line), line]));
  return offers.flatMap((offer) => units.get(stockKeyOf(offer)) ?? []);
}
