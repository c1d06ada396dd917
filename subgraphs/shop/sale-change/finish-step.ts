import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import type { Refused, RefusedLine } from '../sale/pending-change.js';
import { type LockedSale, lockSale } from '../sale/require-sale.js';
import type { SaleEvent } from '../sale/sale-event.js';
import { announceOffers, releaseOffers } from './announce-offers.js';
import { inactiveMessage } from './begin-change.js';
import { isBeforePhase } from './change-phase.js';
import { writeLines } from './sale-lines.js';
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
  if (isBeforePhase(startsAt, now) && new Date(pending.startsAt) > now) return null;
  return 'The change was confirmed too late: a sale is fixed 10 minutes before its start.';
}

/**
 * Locks the offers of the sale, in the order of their ids, and looks for one that became inactive since the change was
 * requested, as its variant was removed.
 */
async function findInactive(tx: EntityManager, { id, pending }: SaleEvent): Promise<string | null> {
  await sql(tx, 'select from offer where sale_id = $1 order by id for no key update', [id]);
  const isChecked =
    pending?.kind === 'PUBLISH' || (pending?.kind === 'CHANGE' && pending.beforeStart);
  if (!isChecked) return null;
  const offerIds = pending.kind === 'CHANGE' ? pending.lines.map(({ offerId }) => offerId) : null;
  const [inactive] = await sql<{ sku: string }>(
    tx,
    `select sku from offer where sale_id = $1 and not active and ($2::uuid[] is null or id = any($2))
     order by id limit 1`,
    [id, offerIds],
  );
  return inactive ? inactiveMessage(inactive.sku) : null;
}

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

/** Longer than it takes to commit a change: a checkout that read the sale before that must not have been too late. */
const commitMarginMs = 2000;

/** A sale that has sold until now did not end before; its end never becomes later. */
const earlierEnd = (end: Date, wanted: Date, now: Date): Date =>
  new Date(Math.min(end.getTime(), Math.max(wanted.getTime(), now.getTime() + commitMarginMs)));

/** The change becomes valid. */
async function applyChange(tx: EntityManager, { sale, now }: LockedSale): Promise<void> {
  const { pending } = sale;
  Object.assign(sale, done);
  if (pending?.kind === 'PUBLISH') Object.assign(sale, { status: 'PUBLISHED', publishedAt: now });
  if (pending?.kind !== 'CHANGE') {
    await tx.flush();
    if (pending?.kind === 'PUBLISH') await announceOffers(tx, sale.id);
    return;
  }
  const { terms } = pending;
  const endsAt = new Date(pending.endsAt);
  sale.startsAt = new Date(pending.startsAt);
  sale.endsAt = pending.beforeStart ? endsAt : earlierEnd(sale.endsAt, endsAt, now);
  if (terms) {
    const accountBefore = terms.accountBefore === null ? null : new Date(terms.accountBefore);
    Object.assign(sale, terms, { accountBefore });
  }
  await tx.flush();
  await writeLines(tx, sale.id, pending);
  await announceOffers(tx, sale.id, await releaseOffers(tx, sale.id, { keep: 'lines' }));
}
