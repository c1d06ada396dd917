import type { EntityManager } from '@mikro-orm/postgresql';
import { saleOffersMax } from '../../contracts/sale.js';
import { identityOf } from '../../shared/auth/callers.js';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { badInput, conflict, forbidden, notFound } from '../../shared/errors.js';
import { owns } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import type { SaleLine } from '../sale/pending-change.js';
import { lockSale, ownsSale } from '../sale/require-sale.js';
import type { SaleEvent } from '../sale/sale-event.js';
import { beginChange, claimOffers, requireNoChange } from './begin-change.js';
import { requirePhase } from './change-phase.js';
import type { SetSaleOffersInput } from './sale-input.js';
import {
  findPriceProblem,
  hasSameTerms,
  isSameLine,
  type OfferOfLine,
  readLines,
  readOffersOfLines,
  writeLines,
} from './sale-lines.js';

/** Offers of one vendor in a platform event, so that ten have room in it. */
const vendorOffersMax = 200;

/**
 * Puts offers into a sale, changes their terms and takes offers out. The owner of a shop does so in the shop’s sales,
 * and joins platform events with the shop’s offers. In a published sale the change is valid once the warehouse has set
 * the units aside, all or none.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN` for a sale or an offer of somebody else; `BAD_USER_INPUT` for terms that an offer
 *   cannot have; `CONFLICT` for what cannot change any more; `TRY_AGAIN` while another change waits
 */
export function setSaleOffers(context: ShopContext, input: SetSaleOffersInput): Promise<SaleEvent> {
  const { saleId, remove } = input;
  return transact(context.em, async (tx: EntityManager) => {
    const inTx = { ...context, em: tx };
    const locked = await lockSale(tx, saleId);
    if (!locked) throw notFound('sale', saleId);
    const { sale } = locked;
    if (sale.shopId !== null && !(await ownsSale(inTx, sale))) throw forbidden();
    const before = new Map((await readLines(tx, saleId)).map((line) => [line.offerId, line]));
    const set = linesOf(input);
    const taken = [...new Set(remove)].filter((id) => before.has(id));
    const offers = await readOffersOfLines(tx, saleId, [...set.keys(), ...taken]);
    for (const offer of offers.values()) if (!owns(context, offer.ownerId)) throw forbidden();
    requireOffers(sale, [...set.values()], offers);

    const changed = [...set.values()].filter((line) => {
      const former = before.get(line.offerId);
      return !former || !isSameLine(former, line);
    });
    if (changed.length === 0 && taken.length === 0) return sale;
    const added = changed.filter(({ offerId }) => !before.has(offerId));
    const count = before.size + added.length - taken.length;
    if (count > saleOffersMax)
      throw badInput({ 'input.offers': `a sale has at most ${saleOffersMax} offers` });
    if (added.length > 0) await requireShare(inTx, sale, { added: added.length, taken });
    requireNoChange(sale);
    const isOpen = sale.status === 'DRAFT' || requirePhase(locked) === 'BEFORE';
    if (isOpen) requireUnits(input);
    else requireOnlyAllocations(changed, before, taken);
    const changes = { lines: changed, removed: taken };
    if (sale.status === 'DRAFT') {
      await writeLines(tx, saleId, changes);
      return sale;
    }
    if (count === 0 && sale.shopId !== null)
      throw conflict('A published sale keeps at least one offer. Cancel it instead.');
    if (isOpen) await claimOffers(tx, saleId, changed);
    const hasOtherUnits = ({ offerId, allocation }: SaleLine) =>
      before.get(offerId)?.allocation !== allocation;
    const ofUnits = [...changed.filter(hasOtherUnits).map(({ offerId }) => offerId), ...taken];
    const shopIds = [...new Set(ofUnits.map((id) => offers.get(id)?.shopId as string))];
    const window = { startsAt: sale.startsAt.toISOString(), endsAt: sale.endsAt.toISOString() };
    const change = { ...window, terms: null, ...changes, shopIds };
    return beginChange(tx, sale, { kind: 'CHANGE', beforeStart: isOpen, ...change });
  });
}

/**
 * @throws `BAD_USER_INPUT` for more offers of a vendor in a platform event than leave room for others; admins may add
 *   them
 */
async function requireShare(
  context: ShopContext,
  { id, shopId }: SaleEvent,
  { added, taken }: { readonly added: number; readonly taken: readonly string[] },
): Promise<void> {
  const { id: ownerId, role } = identityOf(context);
  if (shopId !== null || role === 'ADMIN') return;
  const [row] = await sql<{ count: number }>(
    context.em,
    `select count(*)::int as count from sale_offer s
       join offer o on o.id = s.offer_id join shop on shop.id = o.shop_id
     where s.sale_id = $1 and shop.owner_id = $2 and s.offer_id <> all($3::uuid[])`,
    [id, ownerId, taken],
  );
  if ((row?.count ?? 0) + added > vendorOffersMax)
    throw badInput({
      'input.offers': `a vendor has at most ${vendorOffersMax} offers in a platform event, across all of the vendor’s shops`,
    });
}

/** @throws `BAD_USER_INPUT` for an offer without units in a sale that has not started */
function requireUnits({ offers }: SetSaleOffersInput): void {
  const empty = offers.findIndex(({ allocation }) => allocation === 0);
  if (empty >= 0)
    throw badInput({
      [`input.offers[${empty}].allocation`]: 'must be at least 1 before the start',
    });
}

/** @throws `BAD_USER_INPUT` for an offer that is there twice, or both set and removed */
function linesOf({ offers, remove }: SetSaleOffersInput): Map<string, SaleLine> {
  const lines = new Map<string, SaleLine>();
  for (const [n, { offerId, price, limitPerCustomer = null, ...terms }] of offers.entries()) {
    if (lines.has(offerId) || remove.includes(offerId))
      throw badInput({ [`input.offers[${n}].offerId`]: 'must be named once' });
    lines.set(offerId, { ...terms, offerId, priceAmount: price, limitPerCustomer });
  }
  return lines;
}

/** @throws `BAD_USER_INPUT` naming each line whose offer or price cannot be in the sale */
function requireOffers(
  { shopId }: SaleEvent,
  lines: readonly SaleLine[],
  offers: ReadonlyMap<string, OfferOfLine>,
): void {
  const fields: Record<string, string> = {};
  for (const [n, { offerId, priceAmount }] of lines.entries()) {
    const offer = offers.get(offerId);
    if (!offer || offer.isRemoved || (shopId !== null && offer.shopId !== shopId)) {
      fields[`input.offers[${n}].offerId`] = 'is not an offer that can be in this sale';
      continue;
    }
    const problem = findPriceProblem(offer, priceAmount);
    if (problem) fields[`input.offers[${n}].price`] = problem;
  }
  if (Object.keys(fields).length > 0) throw badInput(fields);
}

/** @throws `CONFLICT` for anything but another allocation of offers that a live sale has */
function requireOnlyAllocations(
  changed: readonly SaleLine[],
  before: ReadonlyMap<string, SaleLine>,
  taken: readonly string[],
): void {
  const isAllowed = changed.every((line) => {
    const former = before.get(line.offerId);
    return former && hasSameTerms(former, line);
  });
  if (!isAllowed || taken.length > 0)
    throw conflict('In a live sale only the allocations of its offers can change.');
}
