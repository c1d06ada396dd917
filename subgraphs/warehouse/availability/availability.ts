import { Field, Int, ObjectType } from 'type-graphql';
import { sqlPrepared } from '../../shared/database/sql.js';
import { type BatchLoad, inOrderOf } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import type { StockKey } from '../stock/stock-item.js';

@Allow('parent')
@ObjectType({ description: 'How much can be bought now. Only active warehouses count.' })
export class Availability {
  /** of what; without a shop: of all shops */
  sku!: string;
  shopId!: string | null;

  @Field(() => Int, { description: 'Units that can be bought.' })
  available!: number;

  @Field(() => Int, {
    description: 'Rises with each change; over several shops, the sum of theirs.',
  })
  version!: number;
}

export const intMax = 2_147_483_647;
const keyOf = ({ shopId, sku }: StockKey) => `${shopId} ${sku}`;

/** Of one shop: one statement for all keys of a request. */
export const loadAvailability: BatchLoad<StockKey, Availability, WarehouseContext> = async (
  keys,
  { em },
) => {
  const rows = await sqlPrepared<StockKey & Availability>(
    em,
    `select shop_id as "shopId", sku, available, version from stock_item
     where (shop_id, sku) in (select * from unnest($1::uuid[], $2::varchar[]))`,
    [keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
  const found = inOrderOf(keys.map(keyOf), rows, keyOf);
  return keys.map((key, n) => found[n] ?? { ...key, available: 0, version: 0 });
};

/** Over all shops: one statement for all skus of a request. */
export const loadAvailabilityOfSkus: BatchLoad<string, Availability, WarehouseContext> = async (
  skus,
  { em },
) => {
  const rows = await sqlPrepared<Availability>(
    em,
    `select sku, null as "shopId", least(sum(available), ${intMax})::int as available,
       least(sum(version), ${intMax})::int as version
     from stock_item where sku = any($1::varchar[]) group by sku`,
    [[...skus]],
  );
  const found = inOrderOf(skus, rows, (row) => row.sku);
  return skus.map((sku, n) => found[n] ?? { sku, shopId: null, available: 0, version: 0 });
};
