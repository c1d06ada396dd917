import type { SaleSummary } from '../../../contracts/shop.js';
import { stockKeyOf } from '../../../contracts/stock-key.js';
import type { SaleStock } from '../../../contracts/warehouse.js';
import type { BatchLoad } from '../../../shared/graphql/context.js';
import { result } from '../../../shared/graphql/refusal.js';
import { money } from '../../../shared/money.js';
import type { OrderContext } from '../../context.js';
import { type OrderFigures, readFigures } from './read-figures.js';
import { SaleReport } from './sale-report.js';

/** Published sales; null for others. */
export const loadSales: BatchLoad<string, SaleSummary | null, OrderContext> = async (
  ids,
  { app },
) => {
  const sales = await app.saleReads.sales(ids);
  return ids.map((id) => sales.get(id) ?? null);
};

/** A sale, and those of its shops that the report is about. */
interface Reported {
  readonly sale: SaleSummary;
  readonly shopIds: readonly string[];
}

/** @throws `TRY_AGAIN` while the warehouse subgraph does not answer */
export const loadReports: BatchLoad<Reported, SaleReport, OrderContext> = async (
  reported,
  { app, em },
) => {
  const ids = reported.map(({ sale }) => sale.id);
  const offers = reported.map(({ sale, shopIds }) => ({
    saleId: sale.id,
    offerIds: sale.offers
      .filter(({ shopId }) => shopIds.includes(shopId))
      .map(({ offerId }) => offerId),
  }));
  const [stock, figures] = await Promise.all([app.saleReads.stock(ids), readFigures(em, offers)]);
  return reported.map((each, n) =>
    toReport(each, stock.get(each.sale.id) ?? [], figures[n] as OrderFigures),
  );
};

function toReport(
  { sale, shopIds }: Reported,
  stock: readonly SaleStock[],
  figures: OrderFigures,
): SaleReport {
  const lines = stock.filter(({ shopId }) => shopIds.includes(shopId));
  const sum = (of: 'allocated' | 'held' | 'sold') =>
    lines.reduce((total, line) => total + line[of], 0);
  const allocated = sum('allocated');
  return result(SaleReport, {
    of: { saleId: sale.id, shopIds },
    allocated,
    held: sum('held'),
    sold: sum('sold'),
    expired: figures.expired,
    revenue: figures.revenue.map(({ amount, currencyCode }) => money(amount, currencyCode)),
    medianSecondsToPay: figures.medianSecondsToPay,
    largestAccountShare: allocated > 0 ? figures.largestUnits / allocated : null,
    oversold: oversoldOf(sale, lines, figures.paidUnits),
  });
}

/** An offer whose allocation is unknown has none. */
function oversoldOf(
  { offers }: SaleSummary,
  lines: readonly SaleStock[],
  paidUnits: OrderFigures['paidUnits'],
): number {
  const allocated = new Map(lines.map((line) => [stockKeyOf(line), line.allocated]));
  return offers.reduce((total, offer) => {
    const paid = paidUnits[offer.offerId] ?? 0;
    return total + (paid > 0 ? Math.max(0, paid - (allocated.get(stockKeyOf(offer)) ?? 0)) : 0);
  }, 0);
}
