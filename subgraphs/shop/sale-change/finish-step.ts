import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import type { RefusedLine } from '../sale/pending-change.js';
import { type LockedSale, lockSale } from '../sale/require-sale.js';
import type { SaleEvent } from '../sale/sale-event.js';
import { announceOffers, releaseOffers } from './announce-offers.js';
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
    if (refused.length === 0) return isTooLate(locked) ? revert(tx, sale) : applyChange(tx, locked);
    const { pending } = work;
    const wantsMore = pending.kind === 'PUBLISH' || (pending.kind === 'CHANGE' && pending.lines);
    if (!wantsMore) return takeWhatThereIs(tx, sale, refused);
    sale.refused = refused;
    await tx.flush();
    return (await hasOneShop(tx, sale)) ? dropChange(tx, sale) : revert(tx, sale);
  });
}

/** Whether a change would be made of a sale that has started, or a sale be published that is over. */
function isTooLate({ sale, now }: LockedSale): boolean {
  if (sale.pending?.kind === 'PUBLISH') return sale.endsAt <= now;
  return sale.pending?.kind === 'CHANGE' && sale.pending.beforeStart && sale.startsAt <= now;
}

/** Where one shop is requested, a refusal leaves nothing to revert. */
async function hasOneShop(tx: EntityManager, { id }: SaleEvent): Promise<boolean> {
  return (await sql(tx, 'select from sale_shop where sale_id = $1 limit 2', [id])).length === 1;
}

const nextRevision = (tx: EntityManager, sale: SaleEvent, set: object) => {
  Object.assign(sale, { revision: sale.revision + 1, ...set });
  return tx.flush();
};

const revert = (tx: EntityManager, sale: SaleEvent) => nextRevision(tx, sale, { step: 'REVERT' });

/**
 * For an allocation that needs no unit more, and is refused: units that were set aside went away, or were sold while it
 * was lowered. The sale gets the nearest number that is possible.
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
  const endsAt = new Date(pending.endsAt);
  sale.startsAt = new Date(pending.startsAt);
  sale.endsAt = pending.beforeStart ? endsAt : earlierEnd(sale.endsAt, endsAt, now);
  await tx.flush();
  if (pending.lines) await writeLines(tx, sale.id, pending.lines);
  await announceOffers(tx, sale.id, await releaseOffers(tx, sale.id, { keep: 'lines' }));
}
