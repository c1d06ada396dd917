import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { amountScale } from '../../shared/currencies.js';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';
import { Product } from '../product/product.js';

const amount = (nullable: boolean) =>
  ({ type: 'numeric', precision: 12, scale: amountScale, nullable }) as const;

/**
 * The price range of a product's active offers in one currency: of all of them, of those in stock, and of
 * those sold out; null where there are none. It summarizes `offer_listing` with one row per product and
 * currency. Lists that name no shop are filtered, sorted and counted by it.
 */
@Retained({ withOwner: 'product' })
@Entity({ tableName: 'listed_price' })
@Index({
  name: 'listed_price_lowest',
  expression:
    'create index listed_price_lowest on listed_price (currency_code, lowest, product_id)',
})
@Index({
  name: 'listed_price_lowest_in_stock',
  expression:
    'create index listed_price_lowest_in_stock on listed_price (currency_code, lowest_in_stock, product_id) where lowest_in_stock is not null',
})
@Index({
  name: 'listed_price_lowest_sold_out',
  expression:
    'create index listed_price_lowest_sold_out on listed_price (currency_code, lowest_sold_out, product_id) where lowest_sold_out is not null',
})
@Check({ name: 'listed_price_range', expression: 'lowest <= highest' })
export class ListedPrice {
  @ManyToOne(() => Product, {
    mapToPk: true,
    primary: true,
    fieldName: 'product_id',
    index: false,
    updateRule: 'no action',
    deleteRule: 'no action',
  })
  productId!: string;

  @PrimaryKey({ type: 'char', length: 3 })
  currencyCode!: string;

  @Property(amount(false))
  lowest!: string;

  @Property(amount(false))
  highest!: string;

  @Property(amount(true))
  lowestInStock!: string | null;

  @Property(amount(true))
  highestInStock!: string | null;

  @Property(amount(true))
  lowestSoldOut!: string | null;

  @Property(amount(true))
  highestSoldOut!: string | null;
}

/** SQL that recomputes the summary of products (`$1`, ids). Their rows must be locked. */
export const summarizeListedPrices = `
  with computed as (
    select product_id, currency_code, min(price_amount), max(price_amount),
      min(price_amount) filter (where in_stock), max(price_amount) filter (where in_stock),
      min(price_amount) filter (where not in_stock), max(price_amount) filter (where not in_stock)
    from offer_listing where product_id = any ($1::uuid[]) and active
    group by product_id, currency_code
  ), deleted as (
    delete from listed_price as l where product_id = any ($1::uuid[]) and not exists (
      select from computed as c where (c.product_id, c.currency_code) = (l.product_id, l.currency_code))
  )
  insert into listed_price as l (product_id, currency_code, lowest, highest,
    lowest_in_stock, highest_in_stock, lowest_sold_out, highest_sold_out)
  select * from computed
  on conflict (product_id, currency_code) do update set (lowest, highest, lowest_in_stock,
    highest_in_stock, lowest_sold_out, highest_sold_out) = (excluded.lowest, excluded.highest,
    excluded.lowest_in_stock, excluded.highest_in_stock, excluded.lowest_sold_out,
    excluded.highest_sold_out)
  where l is distinct from excluded`;

/** Recomputes the summaries of products. Their rows must be locked. */
export async function updateListedPrices(
  tx: EntityManager,
  productIds: readonly string[],
): Promise<void> {
  await sql(tx, summarizeListedPrices, [productIds]);
}
