import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { conflict, forbidden } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import type { ShopContext } from '../context.js';
import { SaleEvent } from '../sale/sale-event.js';
import { requireOwnShop } from '../shop/require-shop.js';
import { type CreateSaleInput, requireTerms } from './sale-input.js';

/** Sales of one shop that are neither over nor cancelled; some more if several are created at the same time. */
const openSalesMax = 100;

/**
 * Creates a sale as a draft.
 *
 * @throws `NOT_FOUND` and `FORBIDDEN` for the shop, `FORBIDDEN` for a platform event of anybody but an admin,
 *   `BAD_USER_INPUT` for its times, `CONFLICT` for a slug that is taken and beyond 100 sales that are not over
 */
export function createSale(
  context: ShopContext,
  { idempotencyKey: _, ...input }: CreateSaleInput,
  once?: Once<SaleEvent>,
): Promise<SaleEvent> {
  const work = async (tx: EntityManager) => {
    const shopId = input.shopId ?? null;
    if (shopId !== null) await requireOwnShop({ ...context, em: tx }, shopId);
    else if (identityOf(context).role !== 'ADMIN') throw forbidden();
    const accountBefore = input.accountBefore ?? null;
    requireTerms({ ...input, accountBefore }, new Date());
    await requireRoom(tx, shopId);
    const made = {
      ...{ ...input, shopId, accountBefore },
      holdMinutes: input.holdMinutes ?? null,
      admissionsPerMinute: input.admissionsPerMinute ?? null,
    };
    const empty = {
      publishedAt: null,
      cancelledAt: null,
      step: null,
      pending: null,
      refused: null,
    };
    const sale = tx.create(SaleEvent, { id: newId(), ...made, ...empty });
    await tx.persist(sale).flush();
    return sale;
  };
  return transact(context.em, work, once).catch((error) => throwSlugTaken(error, input.slug));
}

async function requireRoom(tx: EntityManager, shopId: string | null): Promise<void> {
  const [row] = await sql<{ count: number }>(
    tx,
    `select count(*)::int as count from sale_event
     where shop_id is not distinct from $1 and status <> 'CANCELLED' and ends_at > now()`,
    [shopId],
  );
  if (row && row.count >= openSalesMax)
    throw conflict(
      `There are ${row.count} sales that are not over, the maximum. Cancel one first.`,
    );
}

/** Throws `CONFLICT` for a slug that is taken, and any other error unchanged. */
export function throwSlugTaken(error: unknown, slug: string): never {
  if (isUniqueViolation(error, 'sale_event_slug'))
    throw conflict(`The slug ${slug} is taken. Choose another.`);
  throw error;
}
