import { Migration } from '@mikro-orm/migrations';

/** The tables of the first slice; each index says what it is for. */
export class Migration20261121Spine extends Migration {
  override up(): void {
    this.addSql(`create table category (
      id uuid not null,
      name varchar(255) not null,
      slug varchar(255) not null,
      parent_id uuid,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    this.addSql(`alter table category
      add constraint category_slug unique (slug)`);
    // the children of a category
    this.addSql(`create index category_parent on category (parent_id)`);
    this.addSql(`create table product (
      id uuid not null,
      name varchar(255) not null,
      slug varchar(300) not null,
      description text not null,
      category_id uuid not null,
      images text[] not null,
      created_by_id uuid not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    this.addSql(`alter table product
      add constraint product_slug unique (slug)`);
    // the newest first
    this.addSql(`create index product_created_at on product (created_at)`);
    // the products of a category
    this.addSql(`create index product_category on product (category_id)`);
    this.addSql(`create table product_variant (
      sku varchar(64) not null,
      product_id uuid not null,
      name varchar(255) not null,
      options jsonb not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (sku)
    )`);
    // the variants of a product
    this.addSql(`create index product_variant_product on product_variant (product_id)`);
    this.addSql(`alter table category
      add constraint category_parent_id_foreign foreign key (parent_id) references category (id) on delete no action`);
    this.addSql(`alter table product
      add constraint product_category_id_foreign foreign key (category_id) references category (id)`);
    this.addSql(`alter table product_variant
      add constraint product_variant_product_id_foreign foreign key (product_id) references product (id)`);
  }
}
