import { Length, Max, Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { v7 as uuidv7 } from 'uuid';
import { identityOf } from '../../shared/auth.js';
import { type EntityManager, sql } from '../../shared/database.js';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/scalars.js';
import type { ServiceClient } from '../../shared/service-client.js';
import type { WarehouseContext } from '../context.js';
import { ownWarehouse } from '../warehouse/own-warehouse.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { moveStock } from './ledger.js';
import type { StockLevel } from './stock-level.js';

export const quantityMax = 1_000_000;
/** More than this on one level is refused, so that no sum over levels overflows an Int. */
export const onHandMax = 100_000_000;

@InputType({ description: 'Stock that arrives at a warehouse.' })
export class ReceiveStockInput {
  @Field(() => UUID, { description: 'Where it arrives.' })
  warehouseId!: string;

  @Field(() => String, { description: 'What arrives.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Int, { description: 'How many units, 1 to 1,000,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;

  @Field(() => String, { nullable: true, description: 'Of the delivery, for example its note.' })
  @Length(0, 255)
  reference?: string | null;
}

/**
 * Takes in stock: the level, its item and a RECEIPT in one commit.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN` for somebody else's warehouse, `BAD_USER_INPUT` for a sku that
 *   does not exist
 */
export async function receiveStock(
  context: WarehouseContext,
  input: ReceiveStockInput,
): Promise<StockLevel> {
  const warehouse = await ownWarehouse(context, input.warehouseId);
  if (!(await skuExists(context.app.product, input.sku))) {
    throw badInput({ 'input.sku': `there is no variant ${input.sku}` });
  }
  return moveStock(context.app, async (em, openLedger) => {
    const levelId = await ensureLevel(em, warehouse, input.sku);
    const ledger = await openLedger([{ shopId: warehouse.shopId, sku: input.sku }]);
    const level = ledger.level(levelId);
    if (level.onHand + input.quantity > onHandMax) {
      throw badInput({ 'input.quantity': `a level holds at most ${onHandMax} units` });
    }
    ledger.move(level, {
      type: 'RECEIPT',
      onHandDelta: input.quantity,
      reservedDelta: 0,
      reference: input.reference ?? null,
      reason: null,
      actor: identityOf(context).id,
    });
    return level;
  });
}

/** Makes the item and the level, at zero, where they are not there yet. @returns the level's id */
async function ensureLevel(em: EntityManager, { id, shopId }: Warehouse, sku: string) {
  await sql(em, 'insert into stock_item (shop_id, sku) values ($1, $2) on conflict do nothing', [
    shopId,
    sku,
  ]);
  await sql(
    em,
    `insert into stock_level (id, warehouse_id, shop_id, sku) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [uuidv7(), id, shopId, sku],
  );
  const [level] = await sql<{ id: string }>(
    em,
    'select id from stock_level where warehouse_id = $1 and sku = $2',
    [id, sku],
  );
  return (level as { id: string }).id;
}

const timeoutMs = 3000;

async function skuExists(product: ServiceClient, sku: string): Promise<boolean> {
  const { _entities } = await product.call<{ _entities: unknown[] }>(
    `query ($of: [_Any!]!) {
       _entities(representations: $of) { ... on ProductVariant { name } }
     }`,
    { of: [{ __typename: 'ProductVariant', sku }] },
    { timeoutMs, repeatable: true },
  );
  return Boolean(_entities[0]);
}
