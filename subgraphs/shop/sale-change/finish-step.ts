import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import type { Refused, RefusedLine } from '../sale/pending-change.js';
import { type LockedSale, lockSale } from '../sale/require-sale.js';
import type { SaleEvent } from '../sale/sale-event.js';
import { announceOffers, releaseOffers } from './announce-offers.js';
import { inactiveMessage } from './begin-change.js';
import { isBeforePhase } from './change-phase.js';
import { commitMarginMs, findLaterEnd } from './earlier-end.js';
import { findRepriced, writeLines } from './sale-lines.js';
import type { SaleWork } from './sale-work.js';

/** Ends a step whose calls are done, unless another process did, or another change replaced it. */
export function finishStep(
  em: EntityManager,
  work: SaleWork,
  refused: readonly RefusedLine[],
): Promise<void> {
  return transact(em, async (tx) => {
    const locked = await lockSale(tx, work.saleId);
    if (locked?.sale.revision !== work.revision || locked.sale.step !== work.step) return;
    const { sale } = locked;
    if (work.step === 'REVERT')
      return refused.length > 0 ? takeWhatThereIs(tx, sale, refused) : dropChange(tx, sale);
    if (refused.length > 0)
      return needsUnits(sale)
        ? revert(tx, sale, { lines: refused })
        : takeWhatThereIs(tx, sale, refused);
    const later = findLaterEnd(locked);
    if (later) return nextRevision(tx, sale, { pending: later });
    const conflict = findDelay(locked) ?? (await findInactive(tx, sale));
    return conflict ? revert(tx, sale, { conflict }) : applyChange(tx, locked);
  });
}

const needsUnits = ({ pending }: SaleEvent): boolean =>
  pending?.kind === 'PUBLISH' || (pending?.kind === 'CHANGE' && pending.lines.length > 0);

/** @returns why a change is confirmed too late; null: it is not */
function findDelay({ sale: { pending, startsAt, endsAt }, now }: LockedSale): string | null {
  if (pending?.kind === 'PUBLISH' && endsAt <= now)
    return 'The sale ended before its units were set aside. Change its times and publish it again.';
  if (pending?.kind !== 'CHANGE' || !pending.beforeStart) return null;
  const startsInMs = new Date(pending.startsAt).getTime() - now.getTime();
  if (!isBeforePhase(startsAt, now))
    return 'The change was confirmed too late: a sale is fixed 10 minutes before its start.';
  return startsInMs < commitMarginMs ? 'The change was confirmed after its new start.' : null;
}

/**
 * Locks the offers that the change is about, in the order of their ids, and looks for one that became inactive since
 * the change was requested, as its variant was removed.
 */
async function findInactive(tx: EntityManager, sale: SaleEvent): Promise<string | null> {
  const { id, pending } = sale;
  const ofLines = pending?.kind === 'CHANGE' ? pending.lines.map(({ offerId }) => offerId) : null;
  const offerIds = ofLines && !hasOtherWindow(sale) ? [...ofLines, ...removedOf(sale)] : null;
  await sql(
    tx,
    `select from offer where sale_id = $1 and ($2::uuid[] is null or id = any($2))
     order by id for no key update`,
    [id, offerIds],
  );
  const isChecked =
    pending?.kind === 'PUBLISH' || (pending?.kind === 'CHANGE' && pending.beforeStart);
  if (!isChecked) return null;
  const [inactive] = await sql<{ sku: string }>(
    tx,
    `select sku from offer where sale_id = $1 and not active and ($2::uuid[] is null or id = any($2))
     order by id limit 1`,
    [id, ofLines],
  );
  return inactive ? inactiveMessage(inactive.sku) : null;
}

const removedOf = ({ pending }: SaleEvent) => (pending?.kind === 'CHANGE' ? pending.removed : []);

/** Whether the change moves the start or the end. */
const hasOtherWindow = ({ pending, startsAt, endsAt }: SaleEvent): boolean =>
  pending?.kind === 'CHANGE' &&
  (new Date(pending.startsAt).getTime() !== startsAt.getTime() ||
    new Date(pending.endsAt).getTime() !== endsAt.getTime());

const nextRevision = (tx: EntityManager, sale: SaleEvent, set: object) => {
  Object.assign(sale, { revision: sale.revision + 1, ...set });
  return tx.flush();
};

const revert = (tx: EntityManager, sale: SaleEvent, refused: Refused) =>
  nextRevision(tx, sale, { step: 'REVERT', refused: { ...refused, revision: sale.revision } });

/**
 * For an allocation that needs no unit more than the sale had, and is refused: what the change lowered was taken by
 * regular buyers, or what it raised was sold before it was reverted. The sale gets the nearest number that is possible.
 */
async function takeWhatThereIs(
  tx: EntityManager,
  sale: SaleEvent,
  refused: readonly RefusedLine[],
): Promise<void> {
  await sql(
    tx,
    `update sale_offer s set allocation = greatest(r.least, least(s.allocation, r.most))
     from jsonb_to_recordset($2) as r ("offerId" uuid, least int, most int)
     where s.sale_id = $1 and s.offer_id = r."offerId"`,
    [sale.id, JSON.stringify(refused)],
  );
  await nextRevision(tx, sale, {});
}

const done = { step: null, pending: null };

/** The sale is as it was before the change. */
async function dropChange(tx: EntityManager, sale: SaleEvent): Promise<void> {
  const wasPublishing = sale.status === 'PUBLISHING';
  Object.assign(sale, done, wasPublishing && { status: 'DRAFT' });
  await tx.flush();
  await releaseOffers(tx, sale.id, { keep: wasPublishing ? 'none' : 'lines' });
}

/** The change becomes valid. The offers whose price or window it changes are announced. */
async function applyChange(tx: EntityManager, { sale, now }: LockedSale): Promise<void> {
  const { pending } = sale;
  const moves = hasOtherWindow(sale);
  Object.assign(sale, done);
  if (pending?.kind === 'PUBLISH') Object.assign(sale, { status: 'PUBLISHED', publishedAt: now });
  if (pending?.kind !== 'CHANGE') {
    await tx.flush();
    if (pending?.kind === 'PUBLISH') await announceOffers(tx, sale.id);
    return;
  }
  const { terms } = pending;
  sale.startsAt = new Date(pending.startsAt);
  sale.endsAt = new Date(pending.endsAt);
  if (terms) {
    const accountBefore = terms.accountBefore === null ? null : new Date(terms.accountBefore);
    Object.assign(sale, terms, { accountBefore });
  }
  await tx.flush();
  const repriced = await findRepriced(tx, sale.id, pending.lines);
  await writeLines(tx, sale.id, pending);
  const released = await releaseOffers(tx, sale.id, { keep: 'lines' });
  await announceOffers(tx, moves ? sale.id : null, [...released, ...repriced]);
}
