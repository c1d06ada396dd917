import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import { sql } from '../../shared/database/sql.js';
import { forbidden, notFound } from '../../shared/errors.js';
import { owns } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { saleStateSql } from '../sale-window/sale-sql.js';
import { Shop } from '../shop/shop.js';
import { SaleEvent, type SaleState } from './sale-event.js';

/**
 * Whether the user may change a sale: the owner of its shop, or an admin. Platform events are changed by admins.
 *
 * @throws `UNAUTHENTICATED`
 */
export async function ownsSale(context: ShopContext, { shopId }: Pick<SaleEvent, 'shopId'>) {
  if (shopId === null) return identityOf(context).role === 'ADMIN';
  const shop = await context.em.findOne(Shop, shopId);
  return owns(context, shop?.ownerId);
}

/** A sale that is locked, and its state by PostgreSQL’s clock behind the lock. */
export interface LockedSale {
  readonly sale: SaleEvent;
  readonly state: SaleState;
  readonly now: Date;
}

/** Locks a sale; null if there is none. Its state is read by a statement of its own: the lock may take time. */
export async function lockSale(tx: EntityManager, id: string): Promise<LockedSale | null> {
  const locked = await sql(tx, 'select from sale_event where id = $1 for no key update', [id]);
  if (locked.length === 0) return null;
  const [read] = await sql<{ state: SaleState; now: string }>(
    tx,
    `select ${saleStateSql('e', 'clock.at')} as state, clock.at as now
     from (select clock_timestamp() as at) as clock, sale_event e where e.id = $1`,
    [id],
  );
  const sale = await tx.findOneOrFail(SaleEvent, id, { refresh: true });
  return { sale, ...(read as { state: SaleState; now: string }), now: new Date(read?.now ?? 0) };
}

/** @throws `NOT_FOUND`, `FORBIDDEN` unless the user owns the sale */
export async function lockOwnSale(
  tx: EntityManager,
  context: ShopContext,
  id: string,
): Promise<LockedSale> {
  const locked = await lockSale(tx, id);
  if (!locked) throw notFound('sale', id);
  if (!(await ownsSale({ ...context, em: tx }, locked.sale))) throw forbidden();
  return locked;
}
