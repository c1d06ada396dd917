import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import type { LevelDegree } from './shop-levels.js';

/** What an alert is about: levels that are low, or levels that are short of units. */
export interface AlertKind {
  /** for the log */
  readonly name: string;
  /** condition of `stock_level`, for which there is an index on `(shop_id, id)` */
  readonly condition: string;
  /** how bad it is: an alert is sent when it rises */
  readonly degree: string;
}

export const lowStock: AlertKind = {
  name: 'low stock levels',
  condition: 'is_low_stock',
  degree: '1',
};
export const shortfalls: AlertKind = {
  name: 'stock shortfalls',
  condition: 'shortfall > 0',
  degree: 'shortfall',
};

/** A place in the affected levels of several shops, in the order of shop and level. */
export type LevelPlace = Pick<LevelDegree, 'shopId' | 'id'>;

const nil = '00000000-0000-0000-0000-000000000000';
export const beginning: LevelPlace = { shopId: nil, id: nil };

/** The next affected levels of shops, by the index of the condition. */
export const readAffected = (
  em: EntityManager,
  { condition, degree }: AlertKind,
  shopIds: readonly string[],
  after: LevelPlace,
  max: number,
): Promise<LevelDegree[]> =>
  sql<LevelDegree>(
    em.fork(),
    `select id, shop_id as "shopId", ${degree} as degree from stock_level
     where ${condition} and shop_id = any($1::uuid[]) and (shop_id, id) > ($2::uuid, $3::uuid)
     order by shop_id, id limit $4`,
    [shopIds, after.shopId, after.id, max],
  );

/** All levels of items, affected or not, by the index `stock_level_place`. */
export const readLevelsOf = (
  em: EntityManager,
  { condition, degree }: AlertKind,
  keys: readonly StockKey[],
): Promise<LevelDegree[]> =>
  sql<LevelDegree>(
    em.fork(),
    `select id, shop_id as "shopId", case when ${condition} then ${degree} else 0 end as degree
     from stock_level join unnest($1::uuid[], $2::varchar[]) as changed (shop_id, sku)
       using (shop_id, sku)`,
    [keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
