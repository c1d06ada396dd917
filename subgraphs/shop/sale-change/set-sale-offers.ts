import type { EntityManager } from '@mikro-orm/postgresql';
import { saleOffersMax } from '../../contracts/sale.js';
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
    const taken = remove.filter((id) => before.has(id));
    const offers = await readOffersOfLines(tx, saleId, [...set.keys(), ...taken]);
    for (const offer of offers.values()) if (!owns(context, offer.ownerId)) throw forbidden();
    requireOffers(sale, [...set.values()], offers);

    const changed = [...set.values()].filter((line) => {
      const former = before.get(line.offerId);
      return !former || !isSameLine(former, line);
    });
    if (changed.length === 0 && taken.length === 0) return sale;
    const isTaken = new Set(taken);
    const lines = [...new Map([...before, ...set]).values()].filter(
      ({ offerId }) => !isTaken.has(offerId),
    );
    if (lines.length > saleOffersMax)
      throw badInput({ 'input.offers': `a sale has at most ${saleOffersMax} offers` });
    requireNoChange(sale);
    if (sale.status === 'DRAFT') {
      await writeLines(tx, saleId, lines);
      return sale;
    }
    const beforeStart = requirePhase(locked) === 'BEFORE';
    if (!beforeStart) requireOnlyAllocations(changed, before, taken);
    if (lines.length === 0 && sale.shopId !== null)
      throw conflict('A published sale keeps at least one offer. Cancel it instead.');
    await claimOffers(tx, saleId, beforeStart ? changed : []);
    const window = { startsAt: sale.startsAt.toISOString(), endsAt: sale.endsAt.toISOString() };
    return beginChange(tx, sale, { kind: 'CHANGE', beforeStart, ...window, lines }, lines);
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
