import { type PageArgs, pageRequest } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadPages, type PageOfParent } from '../../shared/graphql/load-pages.js';
import { isSelf } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { nameQuery } from '../search.js';
import type { ShopRow } from '../shop/read-shops.js';
import { type OfferRow, offerColumns } from './read-offers.js';

interface PageOfShop extends PageOfParent {
  readonly seesInactive: boolean;
  /** the `tsquery` of the search, or null */
  readonly query: string | null;
}

/**
 * A page of a shop's offers, newest first. Only its owner and admins see inactive ones.
 *
 * @throws `BAD_USER_INPUT` for an invalid page or search
 */
export function offersOfShop(
  context: ShopContext,
  shop: ShopRow,
  { first, after, search }: PageArgs & { readonly search?: string | undefined },
) {
  return loaderOf(context, loadOfferPages).load({
    parentId: shop.id,
    seesInactive: isSelf(context, { id: shop.ownerId }),
    query: nameQuery(search),
    ...pageRequest(first, after),
  });
}

/** The search is one parameter, not a column of `parent`, so that PostgreSQL sees how rare its words are. */
const loadOfferPages = loadPages<PageOfShop, OfferRow>({
  order: 'desc',
  alikeBy: ({ query, seesInactive }) => [query, seesInactive],
  sqlOf([page]) {
    const { query, seesInactive } = page as PageOfShop;
    const found = query === null ? '' : 'and words @@ $5::tsquery';
    return {
      select: `select ${offerColumns} from offer
        where shop_id = parent.id and ${seesInactive ? 'removed_at is null' : 'active'} ${found}`,
      values: query === null ? [] : [query],
    };
  },
  toRow: (row) => row as OfferRow,
});
