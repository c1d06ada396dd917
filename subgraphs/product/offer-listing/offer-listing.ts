import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import { amountScale } from '../../shared/currencies.js';
import { Retained } from '../../shared/database/retention.js';
import { Product } from '../product/product.js';
import { ProductVariant } from '../product/variant.js';

/**
 * A copy of offers and stock, by which lists of products are filtered and sorted: for each shop and sku the
 * offer, from events of the shop subgraph, and whether it is in stock, from events of the warehouse
 * subgraph. Either may arrive first. What is sold at which price is decided by those two.
 */
@Retained({ permanently: 'a copy for each offer' })
@Entity({ tableName: 'offer_listing' })
@Index({
  name: 'offer_listing_product',
  expression:
    'create index offer_listing_product on offer_listing (product_id, currency_code, price_amount, sku, shop_id) include (in_stock) where active',
})
@Index({
  name: 'offer_listing_by_price',
  expression:
    'create index offer_listing_by_price on offer_listing (currency_code, price_amount, product_id) where active',
})
@Index({
  name: 'offer_listing_shop',
  expression:
    'create index offer_listing_shop on offer_listing (shop_id, product_id) include (currency_code, price_amount, in_stock) where active',
})
@Index({
  name: 'offer_listing_sale_due',
  expression:
    'create index offer_listing_sale_due on offer_listing (sale_due_at, sale_id) where sale_due_at is not null',
})
@Index({ name: 'offer_listing_sku', properties: ['sku'] })
@Check({
  name: 'offer_listing_sale',
  expression:
    'num_nonnulls(sale_id, regular_amount, sale_amount, sale_starts_at, sale_ends_at, sale_due_at) in (0, 6)',
})
@Check({ name: 'offer_listing_price', expression: 'price_amount >= 0' })
@Check({
  name: 'offer_listing_complete',
  expression:
    'not active or (offer_id is not null and price_amount is not null and currency_code is not null)',
})
export class OfferListing {
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @ManyToOne(() => ProductVariant, {
    mapToPk: true,
    primary: true,
    fieldName: 'sku',
    index: false,
    updateRule: 'no action',
    deleteRule: 'no action',
  })
  sku!: string;

  @ManyToOne(() => Product, { mapToPk: true, fieldName: 'product_id', index: false })
  productId!: string;

  @Property({ type: 'uuid', nullable: true })
  offerId!: string | null;

  /** the current price: that of a sale while it is live */
  @Property({ type: 'numeric', precision: 12, scale: amountScale, nullable: true })
  priceAmount!: string | null;

  /** of an offer that is in a sale, or will be, with the columns of the sale */
  @Property({ type: 'numeric', precision: 12, scale: amountScale, nullable: true })
  regularAmount!: string | null;

  @Property({ type: 'uuid', nullable: true })
  saleId!: string | null;

  @Property({ type: 'numeric', precision: 12, scale: amountScale, nullable: true })
  saleAmount!: string | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  saleStartsAt!: Date | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  saleEndsAt!: Date | null;

  @Property({ type: 'boolean', default: false })
  salePaused!: Opt<boolean>;

  /** when the price changes next; null: it does not */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  saleDueAt!: Date | null;

  @Property({ type: 'char', length: 3, nullable: true })
  currencyCode!: string | null;

  @Property({ type: 'boolean', default: false })
  active!: boolean;

  /** version of the last `shop.offer.changed` of this offer; 0: none arrived yet */
  @Property({ type: 'integer', default: 0 })
  offerVersion!: number;

  /** at the current price: of units that are not set aside, and while its sale is live of those that are */
  @Property({ type: 'boolean', default: false })
  inStock!: boolean;

  /** whether there are units that are not set aside for a sale */
  @Property({ type: 'boolean', default: false })
  regularInStock!: Opt<boolean>;

  /** whether there are units that are set aside */
  @Property({ type: 'boolean', default: false })
  saleInStock!: Opt<boolean>;

  /** version of the last `warehouse.stock.changed`; 0: none arrived yet */
  @Property({ type: 'integer', default: 0 })
  stockVersion!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
