import { Field, ObjectType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import { Money, money } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { currentPriceSql, liveSaleJoins } from '../sale-window/sale-sql.js';

@Allow('parent')
@ObjectType({ description: 'Price range of a product, over all its variants and shops.' })
export class PriceRange {
  @Field(() => Money, { description: 'Lowest offer price, that of a live sale included.' })
  lowest!: Money;

  @Field(() => Money, { description: 'Highest offer price, that of a live sale included.' })
  highest!: Money;
}

export interface RangeOf {
  readonly skus: readonly string[];
  /** currency of the offers; null: the currency of most of them */
  readonly currencyCode: string | null;
}

interface RangeRow {
  readonly at: string;
  readonly currencyCode: string;
  readonly lowest: string;
  readonly highest: string;
}

/**
 * The lowest and highest current price of the active offers of many products, in one statement; null for a
 * product without any. Amounts in different currencies are not compared: a range has one currency.
 */
export const loadPriceRanges: BatchLoad<RangeOf, PriceRange | null, ShopContext> = async (
  keys,
  { em },
) => {
  const requested = keys.flatMap(({ skus, currencyCode }, at) =>
    skus.map((sku) => ({ at, sku, currencyCode })),
  );
  const rows = await sql<RangeRow>(
    em,
    `select distinct on (requested.at) requested.at, currency_code as "currencyCode",
       min(${currentPriceSql}) as lowest, max(${currentPriceSql}) as highest
     from unnest($1::int[], $2::text[], $3::text[]) as requested (at, of_sku, of_currency)
       join offer on sku = requested.of_sku and active
         and (requested.of_currency is null or currency_code = requested.of_currency)
       ${liveSaleJoins('left join')}
     group by requested.at, currency_code
     order by requested.at, count(*) desc, currency_code`,
    [
      requested.map(({ at }) => at),
      requested.map(({ sku }) => sku),
      requested.map(({ currencyCode }) => currencyCode),
    ],
  );
  const byKey = new Map(rows.map((row) => [Number(row.at), row]));
  return keys.map((_, at) => rangeOf(byKey.get(at)));
};

function rangeOf(row: RangeRow | undefined): PriceRange | null {
  if (!row) return null;
  const of = (amount: string) => money(amount, row.currencyCode);
  return { lowest: of(row.lowest), highest: of(row.highest) };
}
