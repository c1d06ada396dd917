import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { badInput, conflict } from '../../shared/errors.js';
import type { ShopContext } from '../context.js';
import { type LockedSale, lockOwnSale } from '../sale/require-sale.js';
import type { SaleEvent } from '../sale/sale-event.js';
import { beginChange, readShopIds, requireNoChange } from './begin-change.js';
import { requireNotOver, requirePhase } from './change-phase.js';
import { throwSlugTaken } from './create-sale.js';
import { earlierEnd } from './earlier-end.js';
import { requireTerms, type UpdateSaleInput } from './sale-input.js';

/** A start that comes sooner could be confirmed too late. */
const startMarginMs = 10_000;

const sameTime = (a: Date | null, b: Date | null) => a?.getTime() === b?.getTime();

/**
 * Changes a sale. The window of a published one, with the conditions that change in the same request, changes once the
 * warehouse has the new end; until then the former ones are valid. The end of a live sale is moved to 10 s from now at
 * the soonest. A name and a slug are valid at once.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`; `BAD_USER_INPUT` for times that no sale can have; `CONFLICT` for a slug that is
 *   taken and for what cannot change any more; `TRY_AGAIN` while another change waits
 */
export async function updateSale(
  context: ShopContext,
  { id, ...input }: UpdateSaleInput,
): Promise<SaleEvent> {
  const work = async (tx: EntityManager) => {
    const locked = await lockOwnSale(tx, context, id);
    const { sale } = locked;
    const next = termsOf(sale, input);
    const isWindow = !sameTime(next.startsAt, sale.startsAt) || !sameTime(next.endsAt, sale.endsAt);
    const isTerms =
      next.holdMinutes !== sale.holdMinutes ||
      next.admission !== sale.admission ||
      next.admissionMinutes !== sale.admissionMinutes ||
      next.admissionsPerMinute !== sale.admissionsPerMinute ||
      next.eligibility !== sale.eligibility ||
      !sameTime(next.accountBefore, sale.accountBefore);
    const { name, slug } = sale;
    const named = { name: input.name ?? name, slug: input.slug ?? slug };
    const isNamed = named.name !== name || named.slug !== slug;
    if (!isNamed && !isWindow && !isTerms) return sale;
    requireNotOver(locked);
    Object.assign(sale, named);
    if (!isWindow && !isTerms) return sale;
    requireNoChange(sale);
    requireTerms(next, locked.now);
    const { startsAt, endsAt: wanted, ...terms } = next;
    if (sale.status === 'DRAFT') return Object.assign(sale, next);
    const beforeStart = requireAllowed(locked, { startsAt, endsAt: wanted, isTerms });
    const endsAt = beforeStart ? wanted : earlierEnd(locked, wanted);
    const isMoved = !sameTime(startsAt, sale.startsAt) || !sameTime(endsAt, sale.endsAt);
    if (!isMoved) return Object.assign(sale, terms);
    const accountBefore = terms.accountBefore?.toISOString() ?? null;
    return beginChange(tx, sale, {
      kind: 'CHANGE',
      beforeStart,
      startsAt: startsAt.toISOString(),
      endsAt: endsAt.toISOString(),
      terms: { ...terms, accountBefore },
      lines: [],
      removed: [],
      // The warehouse knows the end of a sale, and not its start.
      shopIds: sameTime(endsAt, sale.endsAt) ? [] : await readShopIds(tx, id),
    });
  };
  return transact(context.em, work).catch((error) => throwSlugTaken(error, input.slug ?? ''));
}

function termsOf(sale: SaleEvent, input: Omit<UpdateSaleInput, 'id'>) {
  const eligibility = input.eligibility ?? sale.eligibility;
  const kept = eligibility === 'ACCOUNT_BEFORE' ? sale.accountBefore : null;
  return {
    startsAt: input.startsAt ?? sale.startsAt,
    endsAt: input.endsAt ?? sale.endsAt,
    holdMinutes: input.holdMinutes === undefined ? sale.holdMinutes : input.holdMinutes,
    admission: input.admission ?? sale.admission,
    admissionMinutes: input.admissionMinutes ?? sale.admissionMinutes,
    admissionsPerMinute:
      input.admissionsPerMinute === undefined
        ? sale.admissionsPerMinute
        : input.admissionsPerMinute,
    eligibility,
    accountBefore: input.accountBefore ?? kept,
  };
}

interface Requested {
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly isTerms: boolean;
}

/** @returns whether the change has to be valid before the start */
function requireAllowed(locked: LockedSale, { startsAt, endsAt, isTerms }: Requested): boolean {
  const { sale, now } = locked;
  if (requirePhase(locked) === 'BEFORE') {
    if (startsAt.getTime() < now.getTime() + startMarginMs)
      throw badInput({ 'input.startsAt': 'must be at least 10 s ahead' });
    return true;
  }
  if (isTerms || !sameTime(startsAt, sale.startsAt))
    throw conflict('Of a live sale only its name, its end and its allocations can change.');
  if (endsAt > sale.endsAt)
    throw conflict('The end of a live sale may become earlier, never later.');
  return false;
}
