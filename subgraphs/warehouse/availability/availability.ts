import { Field, Int, ObjectType } from 'type-graphql';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { type BatchLoad, inOrderOf, type SubgraphContext } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import { availableUnitsSql } from '../stock/level-units.js';
import { regularUnitsSql } from '../stock/stock-item.js';

@Allow('parent')
@ObjectType({ description: 'Units that can be bought now, from active warehouses.' })
export class Availability {
  /** the variant; without a shop, in all shops */
  sku!: string;
  shopId!: string | null;

  @Field(() => Int, {
    description:
      'Units that can be bought at the regular price; none that are set aside for a sale.',
  })
  available!: number;

  @Field(() => Int, {
    description: 'Increases with each change; for all shops, the sum of their versions.',
  })
  version!: number;
}

export const intMax = 2_147_483_647;

/** In one shop. One statement for all keys of a request. */
export const loadAvailability: BatchLoad<StockKey, Availability, SubgraphContext> = async (
  keys,
  { em },
) => {
  const rows = await sqlPrepared<StockKey & Availability>(
    em,
    `select shop_id as "shopId", sku, ${regularUnitsSql()} as available, version from stock_item
     where (shop_id, sku) in (select * from unnest($1::uuid[], $2::varchar[]))`,
    [keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
  const found = inOrderOf(keys.map(stockKeyOf), rows, stockKeyOf);
  return keys.map((key, n) => found[n] ?? { ...key, available: 0, version: 0 });
};

/** In all shops. One statement for all skus of a request. */
export const loadAvailabilityOfSkus: BatchLoad<string, Availability, SubgraphContext> = async (
  skus,
  { em },
) => {
  const rows = await sqlPrepared<Availability>(
    em,
    `select sku, null as "shopId", least(sum(${regularUnitsSql()}), ${intMax})::int as available,
       least(sum(version), ${intMax})::int as version
     from stock_item where sku = any($1::varchar[]) group by sku`,
    [[...skus]],
  );
  const found = inOrderOf(skus, rows, (row) => row.sku);
  return skus.map((sku, n) => found[n] ?? { sku, shopId: null, available: 0, version: 0 });
};

/** Sums over the levels of a variant. */
interface StockTotals {
  readonly sku: string;
  readonly shopId: string | null;
  readonly incoming: number;
  readonly reserved: number;
  readonly inactive: number;
  readonly threshold: number;
}
type TotalsKey = Pick<StockTotals, 'sku' | 'shopId'>;

const sumOf = (what: string, where: string) =>
  `least(coalesce(sum(${what}) filter (where ${where}), 0), ${intMax})::int`;

/** In one shop or in all. One statement for all keys of a request. */
export const loadStockTotals: BatchLoad<TotalsKey, StockTotals, SubgraphContext> = async (
  keys,
  { em },
) => {
  const rows = await sqlPrepared<StockTotals>(
    em,
    `select k.shop_id as "shopId", k.sku,
       ${sumOf('l.incoming', 'w.active')} as incoming,
       ${sumOf('l.reserved', 'w.active')} as reserved,
       ${sumOf(availableUnitsSql('l.'), 'not w.active')} as inactive,
       ${sumOf('l.low_stock_threshold', 'w.active')} as threshold
     from (select distinct * from unnest($1::uuid[], $2::varchar[])) as k (shop_id, sku)
       left join stock_item i on i.sku = k.sku and (k.shop_id is null or i.shop_id = k.shop_id)
       left join stock_level l on l.shop_id = i.shop_id and l.sku = i.sku
       left join warehouse w on w.shop_id = l.shop_id and w.id = l.warehouse_id
     group by k.shop_id, k.sku`,
    [keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
  return inOrderOf(keys.map(stockKeyOf), rows, stockKeyOf) as StockTotals[];
};
