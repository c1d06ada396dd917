import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { type Connection, pageRequest, toConnection } from '../../shared/graphql/connection.js';
import { type BatchLoad, loaderOf } from '../../shared/graphql/context.js';
import { isSelf } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { searchQuery } from '../search-vector.js';
import type { ShopRow } from '../shop/read-shops.js';
import { type OfferRow, offerColumns } from './read-offers.js';

interface PageOf {
  readonly shopId: string;
  readonly seesInactive: boolean;
  /** `to_tsquery` of the search, or null */
  readonly query: string | null;
  readonly first: number;
  readonly afterId: string | null;
}
interface PageArgs {
  readonly first: number;
  readonly after?: string | undefined;
  readonly search?: string | undefined;
}

/**
 * A page of a shop's offers, newest first. Only its owner and admins see inactive ones.
 *
 * @throws `BAD_USER_INPUT` for an invalid page or search
 */
export function offersOfShop(
  context: ShopContext,
  shop: ShopRow,
  { first, after, search }: PageArgs,
) {
  return loaderOf(context, loadPages).load({
    shopId: shop.id,
    seesInactive: isSelf(context, { id: shop.ownerId }),
    query: searchQuery(search),
    ...pageRequest(first, after),
  });
}

/** One statement for all shops with the same search. */
const loadPages: BatchLoad<PageOf, Connection<OfferRow>, ShopContext> = async (keys, { em }) => {
  const pages = new Map<PageOf, Connection<OfferRow>>();
  for (const [query, alike] of Map.groupBy(keys, (key) => key.query)) {
    const rows = Map.groupBy(await readPages(em, query, alike), ({ at }) => Number(at) - 1);
    for (const [at, key] of alike.entries()) {
      pages.set(key, toConnection(rows.get(at) ?? [], key.first));
    }
  }
  return keys.map((key) => pages.get(key) as Connection<OfferRow>);
};

const behindAll = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The search is one parameter, not a column of `page`, so that PostgreSQL sees how rare its words are. */
function readPages(em: EntityManager, query: string | null, keys: readonly PageOf[]) {
  const found = query === null ? '' : "and words @@ to_tsquery('simple', $5)";
  return sql<OfferRow & { at: string }>(
    em,
    `select page.at, o.* from unnest($1::uuid[], $2::boolean[], $3::int[], $4::uuid[])
       with ordinality as page (of_shop, sees_inactive, rows_max, after_id, at)
     cross join lateral (
       select ${offerColumns} from offer
       where shop_id = page.of_shop and removed_at is null and id < page.after_id
         and (active or page.sees_inactive) ${found}
       order by id desc limit page.rows_max
     ) o order by page.at, o.id desc`,
    [
      keys.map(({ shopId }) => shopId),
      keys.map(({ seesInactive }) => seesInactive),
      keys.map(({ first }) => first + 1),
      keys.map(({ afterId }) => afterId ?? behindAll),
      ...(query === null ? [] : [query]),
    ],
  );
}
