import type { EntityManager } from '@mikro-orm/postgresql';
import { createUnionType, Field, InputType, Int, ObjectType } from 'type-graphql';
import { shopOrderById } from '../../contracts/order.js';
import { sql } from '../../shared/database/sql.js';
import type { Once } from '../../shared/database/transact.js';
import { badInput, notFound } from '../../shared/errors.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { Allow } from '../../shared/rights/rights.js';
import { type CommittedLine, openCommittedPart } from '../fulfilment/committed-lines.js';
import { ShopOrder } from '../references.js';
import { availableUnits, noUnits } from '../stock/level-units.js';
import { moveStock, type StockWork } from '../stock/move-stock.js';
import { NotEnoughOnHand, notEnoughOnHand } from '../stock/not-enough-on-hand.js';
import type { StockLevel } from '../stock/stock-level.js';
import type { StockContext, StockStore } from '../stock/stock-store.js';
import { requireWarehouse } from '../warehouse/require-warehouse.js';
import type { Warehouse } from '../warehouse/warehouse.js';

const timeoutMs = 3000;

@InputType({ description: 'A shop order, and the warehouse that it is to be shipped from.' })
export class ReassignShopOrderInput {
  @Field(() => UUID, { description: 'The shop order.' })
  shopOrderId!: string;

  @Field(() => UUID, { description: 'An active warehouse of the same shop.' })
  toWarehouseId!: string;

  @KeyField()
  idempotencyKey?: string | null;
}

@Allow('parent')
@ObjectType({ description: 'A shop order whose units are in another warehouse now.' })
export class ReassignedShopOrder {
  @Field(() => ShopOrder, { nullable: true, description: 'The shop order.' })
  shopOrder!: ShopOrder | null;

  /** the warehouse that it is shipped from */
  warehouseId!: string;

  @Field(() => Int, { description: 'Units that were moved; 0 if all were there already.' })
  units!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The shop order has no units to move: it is not paid, shipped, or cancelled.',
})
export class NothingToReassign extends Refusal {}

export const ReassignShopOrderResult = createUnionType({
  name: 'ReassignShopOrderResult',
  description: 'The shop order in its new warehouse, or why nothing was moved.',
  types: () => [ReassignedShopOrder, NotEnoughOnHand, NothingToReassign] as const,
});

export interface Reassignment {
  readonly orderId: string;
  readonly to: Warehouse;
  /** the id of the user */
  readonly actor: string;
}

/**
 * Finds the shop order and the warehouse. A shop order that is shipped or cancelled is refused, even if
 * the event about it has not arrived yet.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`; `BAD_USER_INPUT` unless the warehouse is active and of the same
 *   shop; `TRY_AGAIN`
 */
export async function requireReassignment(
  context: StockContext,
  { shopOrderId, toWarehouseId }: ReassignShopOrderInput,
): Promise<Omit<Reassignment, 'actor'> | NothingToReassign> {
  const options = { timeoutMs, repeatable: true };
  const found = await context.app.order.call(shopOrderById, { id: shopOrderId }, options);
  if (!found) throw notFound('shop order', shopOrderId);
  await context.app.owners.requireOwn(context, found.shopId);
  const to = await requireWarehouse(context, toWarehouseId);
  if (to.shopId !== found.shopId) {
    throw badInput({ 'input.toWarehouseId': 'must be a warehouse of the same shop' });
  }
  if (!to.active) throw badInput({ 'input.toWarehouseId': 'must be an active warehouse' });
  if (found.status !== 'CONFIRMED') return nothingToReassign();
  return { orderId: found.orderId, to };
}

/**
 * Moves the committed units of a shop’s part of an order to another warehouse of the shop where they
 * are available, all or none: an UNCOMMIT at the old levels and a COMMIT at the new ones.
 */
export function reassignShopOrder(
  store: StockStore,
  { orderId, to, actor }: Reassignment,
  once?: Once<typeof ReassignShopOrderResult>,
): Promise<typeof ReassignShopOrderResult> {
  const { shopId } = to;
  const work: StockWork<typeof ReassignShopOrderResult> = async (em, openLedger) => {
    const part = await openCommittedPart(em, openLedger, {
      orderId,
      shopId,
      toWarehouseId: to.id,
    });
    if (!part || part.lines.length === 0) return nothingToReassign();
    const { ledger, lines } = part;
    const leaving = lines.filter(({ level }) => level.warehouseId !== to.id);
    const unitsOfSku = Map.groupBy(leaving, ({ level }) => level.sku);
    const short = [...unitsOfSku].flatMap(([sku, ofSku]) => {
      const sellable = ledger.sellableLevels({ shopId, sku });
      const target = sellable.find(({ warehouseId }) => warehouseId === to.id);
      const free = target ? availableUnits(target) : 0;
      const requested = sumOf(ofSku);
      const level = ledger.findLevel(to.id, sku) ?? noUnits;
      return free < requested ? [{ ...level, sku, requested, free }] : [];
    });
    if (short.length > 0) return notEnoughOnHand(short);
    const about = { reference: orderId, reason: 'reassigned', actor };
    for (const { level, saleId, open } of leaving) {
      const target = ledger.requireLevel(to.id, level.sku);
      ledger.move(level, { ...about, type: 'UNCOMMIT', committedDelta: -open });
      ledger.move(target, { ...about, type: 'COMMIT', committedDelta: open });
      await moveLine(em, { orderId, from: level, to: target, saleId, units: open });
    }
    const shopOrder = { order: { id: orderId }, shop: { id: shopId } };
    return result(ReassignedShopOrder, { shopOrder, warehouseId: to.id, units: sumOf(leaving) });
  };
  return moveStock(store, work, { once, isStored: null });
}

const nothingToReassign = () =>
  result(NothingToReassign, {
    message: 'The shop order is not paid, or it is shipped or cancelled.',
  });

const sumOf = (lines: readonly CommittedLine[]) => lines.reduce((sum, { open }) => sum + open, 0);

interface LineMove {
  readonly orderId: string;
  readonly from: StockLevel;
  readonly to: StockLevel;
  readonly saleId: string;
  readonly units: number;
}

function moveLine(
  em: EntityManager,
  { orderId, from, to, saleId, units }: LineMove,
): Promise<unknown> {
  return sql(
    em,
    `with taken as (
       update reservation_line set quantity = quantity - $4
       where order_id = $1 and shop_id = $5 and level_id = $2 and sale_id = $6
     )
     insert into reservation_line (order_id, shop_id, level_id, sale_id, quantity)
     values ($1, $5, $3, $6, $4)
     on conflict (order_id, shop_id, level_id, sale_id) do update
       set quantity = reservation_line.quantity + excluded.quantity`,
    [orderId, from.id, to.id, units, from.shopId, saleId],
  );
}
