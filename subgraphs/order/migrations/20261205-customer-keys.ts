import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Table → SQL for the customer of its row `t`, from tables that have it already. */
const customers = {
  shop_order: '(select customer_id from customer_order o where o.id = t.order_id)',
  order_item: '(select customer_id from shop_order s where s.id = t.shop_order_id)',
  order_event: '(select customer_id from customer_order o where o.id = t.order_id)',
  payment: '(select customer_id from customer_order o where o.id = t.order_id)',
  refund: '(select customer_id from payment p where p.id = t.payment_id)',
  refund_line: '(select customer_id from refund r where r.id = t.refund_id)',
  dispute: '(select customer_id from payment p where p.id = t.payment_id)',
};

/** Table → the columns of its key beside the customer. */
const keys = {
  customer_order: 'id',
  shop_order: 'id',
  order_item: 'id',
  order_event: 'id',
  payment: 'id',
  refund: 'id',
  refund_line: 'refund_id, order_item_id',
  dispute: 'id',
};

/** Foreign key → table, the column beside the customer, and the table that it refers to. */
const references = {
  shop_order_order_id_foreign: ['shop_order', 'order_id', 'customer_order'],
  order_item_shop_order_id_foreign: ['order_item', 'shop_order_id', 'shop_order'],
  order_event_order_id_foreign: ['order_event', 'order_id', 'customer_order'],
  payment_order_id_foreign: ['payment', 'order_id', 'customer_order'],
  refund_payment_id_foreign: ['refund', 'payment_id', 'payment'],
  refund_shop_order_id_foreign: ['refund', 'shop_order_id', 'shop_order'],
  refund_line_refund_id_foreign: ['refund_line', 'refund_id', 'refund'],
  refund_line_order_item_id_foreign: ['refund_line', 'order_item_id', 'order_item'],
  dispute_payment_id_foreign: ['dispute', 'payment_id', 'payment'],
};

const droppedIndexes = [
  // Primary keys serve what these served.
  'customer_order_of_customer',
  'payment_user',
  // So does provider_transaction.
  'payment_provider_transaction',
  // No statement used it.
  'payment_status',
  // Only orders that wait for payment were read by status.
  'customer_order_status',
  'shop_order_order',
  'order_item_shop_order',
  'order_event_order',
  'payment_order',
  'payment_live',
  'payment_one_step',
  'refund_of_unsold',
  'refund_of_provider',
  'refund_shop_order',
  'refund_line_order_item',
  'dispute_of_provider',
];

/** Index → whether it is unique, its table, and the rest of its definition. */
const newIndexes: Readonly<Record<string, readonly [boolean, string, string]>> = {
  // By id alone: for admins, shops, events of other subgraphs, and in the order of time.
  customer_order_id: [false, 'customer_order', '(id)'],
  shop_order_id: [false, 'shop_order', '(id)'],
  payment_id: [false, 'payment', '(id)'],
  refund_id: [false, 'refund', '(id)'],
  dispute_id: [false, 'dispute', '(id)'],
  // Orders that wait for payment. Not by the plain condition: PostgreSQL would read all of them to change one.
  customer_order_pending: [
    false,
    'customer_order',
    `(expires_at) where case status when 'PENDING' then true else false end`,
  ],
  shop_order_order: [false, 'shop_order', '(customer_id, order_id)'],
  order_item_shop_order: [false, 'order_item', '(customer_id, shop_order_id)'],
  order_event_order: [false, 'order_event', '(customer_id, order_id, id)'],
  payment_order: [false, 'payment', '(customer_id, order_id, id)'],
  payment_live: [
    true,
    'payment',
    `(customer_id, order_id) where status in ('PENDING', 'AUTHORIZED', 'COMPLETED')`,
  ],
  payment_one_step: [
    true,
    'payment',
    `(customer_id, order_id) where ends_order and failure is distinct from 'NOT_CHARGED'`,
  ],
  refund_of_unsold: [
    true,
    'refund',
    `(customer_id, payment_id) where origin = 'ORDER' and shop_order_id is null`,
  ],
  refund_of_provider: [true, 'refund', '(customer_id, payment_id, provider_refund_id)'],
  refund_shop_order: [false, 'refund', '(customer_id, shop_order_id)'],
  refund_line_order_item: [false, 'refund_line', '(customer_id, order_item_id)'],
  dispute_of_provider: [true, 'dispute', '(customer_id, payment_id, provider_dispute_id)'],
};

/** Table → its columns that the API shows: stored no finer than they are shown. */
const shownTimes = {
  customer_order: ['expires_at', 'created_at', 'updated_at'],
  order_event: ['created_at'],
  payment: ['created_at'],
  refund: ['created_at'],
  dispute: ['evidence_due_at', 'created_at'],
  cart: ['updated_at'],
};

/**
 * Every key begins with the customer, so that all rows of a customer can be on one shard. What has to be unique
 * across customers moves to tables that are keyed by it.
 */
export class Migration20261205CustomerKeys extends Migration {
  override up(): void {
    this.#addCustomers();
    this.#replaceKeys();
    this.#replaceIndexes();
    this.#renameCarts();
    this.#createUniqueTables();
    for (const [table, columns] of Object.entries(shownTimes)) {
      const changes = columns.map(
        (column) =>
          `alter ${column} type timestamptz(3) using date_trunc('milliseconds', ${column})`,
      );
      this.addSql(`alter table ${table} ${noRelease} ${changes.join(', ')}`);
    }
  }

  #addCustomers(): void {
    // The payer of a payment was always the customer of its order.
    this.addSql(`alter table payment ${noRelease} rename user_id to customer_id`);
    this.addSql(`alter table order_event disable trigger append_only`);
    for (const [table, customer] of Object.entries(customers)) {
      if (table !== 'payment') this.addSql(`alter table ${table} add column customer_id uuid`);
      this.addSql(`update ${table} t ${noRelease} set customer_id = ${customer}`);
      this.addSql(`alter table ${table} ${noRelease} alter customer_id set not null`);
    }
    this.addSql(`alter table order_event enable trigger append_only`);
    this.addSql(`create or replace function order_event_append_only_fn() returns trigger as $$ begin
      if tg_op = 'DELETE' and exists (select from customer_order
        where customer_id = old.customer_id and id = old.order_id
        and number is null and status = 'CANCELLED' and created_at < now() - interval '7 days')
      then return old; end if;
      raise exception 'the history of an order is append-only'; end; $$ language plpgsql`);
  }

  #replaceKeys(): void {
    for (const [name, [table]] of Object.entries(references)) {
      this.addSql(`alter table ${table} drop constraint ${name}`);
    }
    for (const [table, columns] of Object.entries(keys)) {
      this.addSql(`alter table ${table} ${noRelease} drop constraint ${table}_pkey,
        add constraint ${table}_pkey primary key (customer_id, ${columns})`);
    }
    for (const [name, [table, column, target]] of Object.entries(references)) {
      this.addSql(`alter table ${table} ${noRelease} add constraint ${name}
        foreign key (customer_id, ${column}) references ${target} (customer_id, id)`);
    }
  }

  #replaceIndexes(): void {
    this.addSql('alter table customer_order drop constraint customer_order_number');
    for (const name of droppedIndexes) this.addSql(`drop index ${name} ${noRelease}`);
    for (const [name, definition] of Object.entries(newIndexes)) {
      const [unique, table, rest] = definition;
      const kind = unique ? 'unique index' : 'index';
      this.addSql(`create ${kind} ${name} on ${table} ${rest} ${noRelease}`);
    }
  }

  #renameCarts(): void {
    this.addSql(`alter table cart ${noRelease} rename id to customer_id`);
    this.addSql(`alter table cart_item ${noRelease} rename cart_id to customer_id`);
    this.addSql(`alter table cart_item ${noRelease}
      rename constraint cart_item_cart_id_foreign to cart_item_customer_id_foreign`);
  }

  #createUniqueTables(): void {
    this.addSql(`create table numbered_order (
      number varchar(20) primary key,
      customer_id uuid not null,
      order_id uuid not null
    )`);
    this.addSql(`insert into numbered_order (number, customer_id, order_id)
      select number, customer_id, id from customer_order where number is not null`);
    this.addSql(`create table provider_transaction (
      provider varchar(50),
      provider_transaction_id varchar(255),
      customer_id uuid not null,
      payment_id uuid not null,
      primary key (provider, provider_transaction_id)
    )`);
    // The first payment of a transaction: no two should have one.
    this.addSql(`insert into provider_transaction
        (provider, provider_transaction_id, customer_id, payment_id)
      select provider, provider_transaction_id, customer_id, id from payment
      where provider_transaction_id is not null order by id
      on conflict do nothing`);
  }
}
