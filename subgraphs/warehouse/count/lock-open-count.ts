import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, ObjectType } from 'type-graphql';
import { notFound } from '../../shared/errors.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import { type InShop, lockById } from '../locks.js';
import { StockCount, StockCountStatus } from './stock-count.js';

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The stock count was submitted or cancelled before. Nothing was changed.',
})
export class StockCountNotOpen extends Refusal {
  @Field(() => StockCountStatus, { description: 'Current status.' })
  status!: StockCountStatus;
}

/** Locks an open stock count. @returns the refusal, if it has ended @throws `NOT_FOUND` */
export async function lockOpenCount(
  tx: EntityManager,
  { shopId, id }: InShop,
): Promise<StockCount | StockCountNotOpen> {
  const count = await lockById(tx, StockCount, { shopId, id });
  if (!count) throw notFound('stock count', id);
  const { status } = count;
  if (status === 'OPEN') return count;
  return result(StockCountNotOpen, { message: `The stock count is already ${status}.`, status });
}
