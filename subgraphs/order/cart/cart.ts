import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Int, ObjectType } from 'type-graphql';
import { noSale } from '../../contracts/sale.js';
import { amountScale } from '../../shared/currencies.js';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { type KeptFor, Retained } from '../../shared/database/retention.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

/** Carts of customers who have not come back, with their lines. They are not counted, so no counter changes. */
const abandonedCartRetention: KeptFor = {
  keptFor: '400 days',
  since: 'updated_at',
  where: 'not counted',
  index: 'cart_idle',
  owned: {
    by: ['customer_id'],
    deletions: ['delete from cart_item i using owner o where i.customer_id = o.customer_id'],
    ownersMax: 500,
  },
};

/** SQL for a sale, or null, as the key of a line has it. */
export const storedSaleSql = (saleId: string) => `coalesce(${saleId}, '${noSale}')`;

/** Identifies a line of a cart, or of a checkout. */
export const lineKeyOf = (offerId: string, saleId: string | null | undefined) =>
  `${offerId} ${saleId ?? noSale}`;

/** A line of a cart, as a plain row of the database. */
export interface CartLine {
  readonly id: string;
  readonly offerId: string;
  /** the sale in which it is to be bought; null for the regular price */
  readonly saleId: string | null;
  readonly name: string;
  readonly unitPriceAmount: string;
  readonly currencyCode: string;
  readonly quantity: number;
}

@Directive('@key(fields: "id", resolvable: false)')
@Allow('signed-in')
@ObjectType({ description: 'What a customer intends to buy. Every customer has one cart.' })
@Retained(abandonedCartRetention)
@Entity({ tableName: 'cart' })
@Index({
  name: 'cart_counted',
  expression: 'create index cart_counted on cart (updated_at) where counted',
})
@Index({
  name: 'cart_idle',
  expression: 'create index cart_idle on cart (updated_at) where not counted',
})
export class Cart {
  [PrimaryKeyProp]?: 'customerId';

  @Field(() => UUID, {
    name: 'id',
    description: 'Id of the cart, which is the id of its customer.',
  })
  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  /** the shard of the counters that counts its units, so that carts do not contend for one row */
  @Property({ type: 'smallint' })
  shard!: number;

  /** whether the counters include its units: true until it has not been changed for a day */
  @Property({ type: 'boolean', default: false })
  counted!: Opt<boolean>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Field(() => Date, { description: 'Time of the last change.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

@Allow('parent')
@ObjectType({
  description:
    'Units of one offer in a cart, at its regular price or in a sale, with name and price of the last change.',
})
@Retained({ withOwner: 'cart' })
@Entity({ tableName: 'cart_item' })
@ForeignKey({
  name: 'cart_item_customer_id_foreign',
  columns: ['customer_id'],
  references: { table: 'cart', columns: ['customer_id'] },
})
@Index({ name: 'cart_item_offer', properties: ['offerId'] })
@Check({ name: 'cart_item_quantity', expression: 'quantity > 0' })
@Check({ name: 'cart_item_price', expression: 'unit_price_amount >= 0' })
export class CartItem {
  [PrimaryKeyProp]?: ['customerId', 'offerId', 'storedSaleId'];

  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @PrimaryKey({ type: 'uuid' })
  offerId!: string;

  /** `noSale` for a regular line */
  @PrimaryKey({ type: 'uuid', fieldName: 'sale_id', default: noSale })
  storedSaleId!: Opt<string>;

  @Field(() => UUID, { description: 'Id of the line.' })
  @Property({ type: 'uuid' })
  id!: string;

  @Field(() => UUID, {
    nullable: true,
    description: 'The sale in which the line is to be bought; null for the regular price.',
  })
  saleId!: string | null;

  @Field(() => String, { description: 'Name of the offer when the line was last changed.' })
  @Property({ type: 'varchar', length: 520 })
  name!: string;

  @Property({ type: 'numeric', precision: 12, scale: amountScale })
  unitPriceAmount!: string;

  @Property({ type: 'char', length: 3 })
  currencyCode!: string;

  @Field(() => Int, { description: 'Units.' })
  @Property({ type: 'integer' })
  quantity!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

/** Units of an offer in the counted carts of one shard. */
@Retained({
  permanently:
    'as many for each offer as there are shards; an index of those with 0 units would be written by each change',
})
@Entity({ tableName: 'units_in_carts' })
export class UnitsInCarts {
  @PrimaryKey({ type: 'uuid' })
  offerId!: string;

  @PrimaryKey({ type: 'smallint' })
  shard!: number;

  @Property({ type: 'bigint' })
  units!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
