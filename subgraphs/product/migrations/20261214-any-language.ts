import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * Search vectors are written by the subgraph, not by triggers and generated columns; names are sorted by a collation.
 * `npm run rebuild -- search` has to run afterwards: until then searches find words without accents only, and correct
 * no typing errors.
 */
export class Migration20261214AnyLanguage extends Migration {
  override up(): void {
    this.#refuseWithoutCollation();
    this.addSql(`drop trigger words on product`);
    this.addSql(`drop function product_words_fn()`);
    this.addSql(`alter table product ${noRelease} alter column search drop expression,
      alter column search set default '', alter column search set not null`);
    this.addSql(`update product ${noRelease} set search = '' where deleted_at is not null`);
    this.addSql(`drop index ${noRelease} product_by_name`);
    this.addSql(
      `alter table product ${noRelease} alter column name type varchar(255) collate "und-x-icu"`,
    );
    this.addSql(
      `create index ${noRelease} product_by_name on product (name, id) where deleted_at is null`,
    );

    for (const table of ['product', 'category'])
      this.addSql(`update ${table} ${noRelease} set slug = normalize(slug), name = normalize(name)
        where slug is not nfc normalized or name is not nfc normalized`);
    this.addSql(`update product ${noRelease} set description = normalize(description)
      where description is not nfc normalized`);
    this.addSql(`update product_variant ${noRelease} set name = normalize(name)
      where name is not nfc normalized`);

    // The rebuild adds the words that products have.
    this.addSql(`delete from search_word ${noRelease}`);
    this.addSql(
      `alter table search_word add column vendor_id uuid, add column doubtful_at timestamptz`,
    );
    // The number of words of a vendor.
    this.addSql(`create index ${noRelease} search_word_vendor on search_word (vendor_id)`);
    // Pruning.
    this.addSql(`create index ${noRelease} search_word_doubtful on search_word (doubtful_at)
      where doubtful_at is not null`);

    this.addSql(
      `alter table category ${noRelease} alter column name type varchar(255) collate "und-x-icu"`,
    );
    this.addSql(`alter table category add column name_key text not null default ''`);
    // Categories may have been renamed to the same name: all but the first get their id.
    this.addSql(`update category c ${noRelease} set name_key = named.key || case when n > 1 then ' ' || c.id else '' end
      from (select id, key, row_number() over (partition by parent_id, key order by id) as n
        from (select id, parent_id, lower(normalize(name, nfkc)) as key from category) as keyed) as named
      where named.id = c.id`);
    this.addSql(`alter table category alter column name_key drop default`);
    // The same name under the same parent.
    this.addSql(
      `create unique index ${noRelease} category_name on category (parent_id, name_key) nulls not distinct`,
    );
  }

  #refuseWithoutCollation(): void {
    this.addSql(`do $$ begin
      if not exists (select from pg_collation where collname = 'und-x-icu') then
        raise exception 'PostgreSQL has no collation "und-x-icu", by which names are sorted. Use a server that is built with ICU.';
      end if;
    end $$`);
  }
}
