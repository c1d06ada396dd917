import { ArrayMaxSize, ArrayMinSize, ArrayUnique } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { insertRows } from '../../shared/database/insert-rows.js';
import { sql } from '../../shared/database/sql.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { badInput, conflict } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { newId } from '../../shared/ids.js';
import type { WarehouseContext } from '../context.js';
import { findUnknownSkus } from '../stock/require-skus.js';
import { requireWarehouse } from '../warehouse/require-warehouse.js';
import { StockCount, StockCountLine } from './stock-count.js';

export const countLinesMax = 1000;
/** open counts of one warehouse */
const openMax = 20;

@InputType({ description: 'What to count.' })
export class OpenStockCountInput {
  @Field(() => UUID, { description: 'The warehouse.' })
  warehouseId!: string;

  @Field(() => [String], { description: 'The variants, 1 to 1,000, each once.' })
  @ArrayMinSize(1)
  @ArrayMaxSize(countLinesMax)
  @ArrayUnique()
  @OneLine(64, { each: true })
  skus!: string[];

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'Whether the expected units are shown before the submission. A blind count finds more errors.',
  })
  showExpected!: boolean;

  @KeyField()
  idempotencyKey?: string | null;
}

/**
 * Opens a stock count. Sales go on: what moves between the count of a line and its submission is
 * taken into account.
 *
 * @throws `NOT_FOUND` and `FORBIDDEN` for the warehouse, `BAD_USER_INPUT` for an unknown variant,
 *   `CONFLICT` for more than `openMax` open counts
 */
export async function openStockCount(
  context: WarehouseContext,
  { warehouseId, skus, showExpected }: OpenStockCountInput,
  once?: Once<StockCount>,
): Promise<StockCount> {
  const { shopId } = await requireWarehouse(context, warehouseId);
  const em = context.em.fork();
  if ((await em.count(StockCount, { shopId, warehouseId, status: 'OPEN' })) >= openMax) {
    throw conflict(`The warehouse has ${openMax} open stock counts. Submit or cancel one first.`);
  }
  const levels = await sql<{ sku: string; onHand: number }>(
    em,
    `select sku, on_hand as "onHand" from stock_level
     where shop_id = $1 and sku = any($2::varchar[]) and warehouse_id = $3`,
    [shopId, skus, warehouseId],
  );
  const onHand = new Map(levels.map((level) => [level.sku, level.onHand]));
  const unknown = await findUnknownSkus(
    context.app.product,
    skus.filter((sku) => !onHand.has(sku)),
  );
  if (unknown.length > 0) {
    const fields = unknown.map((sku) => {
      return [`input.skus[${skus.indexOf(sku)}]`, `there is no variant ${sku}`] as const;
    });
    throw badInput(Object.fromEntries(fields));
  }
  const id = newId();
  const actor = identityOf(context).id;
  const work = async (tx: typeof em) => {
    await insertRows(tx, StockCount, [{ shopId, id, warehouseId, showExpected, actor }]);
    const lines = skus.map((sku) => ({ shopId, countId: id, sku, expected: onHand.get(sku) ?? 0 }));
    await insertRows(tx, StockCountLine, lines);
    return tx.findOneOrFail(StockCount, { shopId, id });
  };
  return transact(em, work, once);
}
