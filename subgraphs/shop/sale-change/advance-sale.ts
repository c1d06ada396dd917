import type { EntityManager } from '@mikro-orm/postgresql';
import pLimit from 'p-limit';
import { allocateSale } from '../../contracts/warehouse.js';
import { sql } from '../../shared/database/sql.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { ShopApp } from '../context.js';
import type { RefusedLine } from '../sale/pending-change.js';
import { isoSql } from '../sale-window/sale-sql.js';
import { finishStep } from './finish-step.js';
import type { SaleWork } from './sale-work.js';

const timeoutMs = 3000;
/** Requests that one change has under way: sales of others wait for the same connections. */
const shopsAtOnceMax = 4;
/** Of one change: to allocate, to revert, and again where units went meanwhile. */
const roundsMax = 5;

interface Line {
  readonly offerId: string;
  readonly shopId: string;
  readonly sku: string;
  readonly units: number;
}

/**
 * Goes on with the change of a sale that is stored, step by step, until none is left (its requests, and a worker for
 * what they left). Each step may be repeated by any process: the warehouse applies a revision once.
 *
 * - `ALLOCATE`: the units of each shop of the change are set aside as it wants them; then it becomes valid. If a
 *   warehouse refuses, it is too late, or an offer cannot be bought any more, the step is `REVERT`;
 * - `REVERT`: the units of these shops are set aside as they were; then the change is gone. All of them have a revision
 *   above that of the change by then, so that a request of it that arrives later has no effect.
 *
 * @throws `TRY_AGAIN` while the warehouse does not answer: the change stays stored
 */
export async function advanceSale(app: ShopApp, em: EntityManager, saleId: string): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const work = await findWork(em.fork(), saleId);
    if (!work) return;
    failPoint('change of a sale stored, nothing allocated');
    const refused = await allocateShops(app, em, work);
    if (refused === null) continue;
    failPoint('units of a sale allocated, change not completed');
    await finishStep(em, work, refused);
  }
}

async function findWork(em: EntityManager, saleId: string): Promise<SaleWork | null> {
  const [work] = await sql<SaleWork>(
    em,
    `select e.id as "saleId", e.status, e.revision, e.step, e.pending,
       ${isoSql('e.ends_at')} as "endsAt",
       coalesce((
         select jsonb_agg(jsonb_build_object('shopId', s.shop_id, 'skipped', s.revisions_skipped)
           order by s.shop_id)
         from sale_shop s where s.sale_id = e.id and s.revision < e.revision
           and jsonb_exists(e.pending->'shopIds', s.shop_id::text)), '[]') as shops
     from sale_event e where e.id = $1 and e.step is not null`,
    [saleId],
  );
  return work ?? null;
}

/**
 * Requests the shops of a step, some at a time. Once one is not applied, no other is requested, and those that were are
 * awaited: which of them are applied is recorded with each.
 *
 * @returns the lines that were refused; null: a shop has skipped revisions that its warehouse had, try again
 * @throws `TRY_AGAIN`
 */
async function allocateShops(
  app: ShopApp,
  em: EntityManager,
  work: SaleWork,
): Promise<RefusedLine[] | null> {
  const lines = Map.groupBy(await wantedLines(em.fork(), work), ({ shopId }) => shopId);
  const inTurn = pLimit(shopsAtOnceMax);
  let goesOn = true;
  const requests = work.shops.map((shop) =>
    inTurn(async () => {
      if (!goesOn) return [];
      let refused: RefusedLine[] | null = null;
      try {
        refused = await allocateShop(app, em.fork(), work, shop, lines.get(shop.shopId) ?? []);
        return refused;
      } finally {
        goesOn &&= refused?.length === 0;
      }
    }),
  );
  const results = await Promise.allSettled(requests);
  const answers = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const refused = answers.flatMap((lines) => lines ?? []);
  if (refused.length > 0) return refused;
  const failed = results.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
  return answers.includes(null) ? null : [];
}

/** Requests the units of one shop. @returns as `allocateShops`, of this shop */
async function allocateShop(
  app: ShopApp,
  em: EntityManager,
  work: SaleWork,
  { shopId, skipped }: SaleWork['shops'][number],
  lines: readonly Line[],
): Promise<RefusedLine[] | null> {
  const { saleId, revision, step, pending } = work;
  const isNew = step === 'ALLOCATE' && pending.kind === 'CHANGE';
  const endsAt = isNew ? pending.endsAt : work.endsAt;
  const units = lines.map(({ sku, units }) => ({ sku, units }));
  const allocation = { saleId, shopId, revision: revision + skipped, endsAt, lines: units };
  const options = { timeoutMs, repeatable: true };
  const { refused, lastRevision } = await app.warehouse.call(allocateSale, { allocation }, options);
  if (lastRevision !== null) {
    await skipRevisions(em, work, shopId, lastRevision);
    return null;
  }
  if (refused.length > 0) {
    const offerIds = new Map(lines.map(({ sku, offerId }) => [sku, offerId]));
    return refused.map(({ sku, ...line }) => ({ ...line, offerId: offerIds.get(sku) as string }));
  }
  failPoint('units of a shop allocated, not recorded');
  await sql(
    em,
    `update sale_shop set revision = $3
     where sale_id = $1 and shop_id = $2 and revision < $3`,
    [saleId, shopId, revision],
  );
  return [];
}

/** Has no effect if another process has changed the sale since, whose revision the warehouse has. */
const skipRevisions = (em: EntityManager, work: SaleWork, shopId: string, last: number) =>
  sql(
    em,
    `update sale_shop s set revisions_skipped = greatest(s.revisions_skipped, $4 + 1 - e.revision)
     from sale_event e
     where e.id = $1 and e.revision = $2 and e.step = $3 and s.sale_id = e.id and s.shop_id = $5`,
    [work.saleId, work.revision, work.step, last, shopId],
  );

/** All units that the warehouse is to set aside in the shops, by the step. */
async function wantedLines(em: EntityManager, work: SaleWork): Promise<Line[]> {
  const { saleId, status, step, pending, shops } = work;
  const shopIds = shops.map(({ shopId }) => shopId);
  const isDropped = step === 'REVERT' && status === 'PUBLISHING';
  if (pending.kind === 'CANCEL' || isDropped) return [];
  const isNew = step === 'ALLOCATE' && pending.kind === 'CHANGE';
  const { lines, removed } = isNew ? pending : { lines: [], removed: [] };
  return sql<Line>(
    em,
    `with given as (
       select "offerId" as offer_id, allocation
       from jsonb_to_recordset($2) as given ("offerId" uuid, allocation int)
     ), line as (
       select offer_id, allocation from sale_offer
       where sale_id = $1 and offer_id <> all($3::uuid[])
         and offer_id not in (select offer_id from given)
       union all select offer_id, allocation from given)
     select o.id as "offerId", o.shop_id as "shopId", o.sku, line.allocation as units
     from line join offer o on o.id = line.offer_id where o.shop_id = any($4::uuid[])`,
    [saleId, JSON.stringify(lines), removed, shopIds],
  );
}
