import { Migration } from '@mikro-orm/migrations';

/** What products are searched and sorted by; each index says what it is for. */
export class Migration20261121Search extends Migration {
  override up(): void {
    this.addSql(`create extension if not exists pg_trgm`);
    // Words as they stand, for prefixes, and their English stems: in names (A), in descriptions (C).
    this.addSql(`alter table product add column search tsvector
      generated always as (
        setweight(to_tsvector('simple'::regconfig, name::text), 'A') ||
        setweight(to_tsvector('english'::regconfig, name::text), 'A') ||
        setweight(to_tsvector('simple'::regconfig, description), 'C') ||
        setweight(to_tsvector('english'::regconfig, description), 'C')) stored`);
    // search by words and beginnings of words; without a list of what is still to be sorted in, which
    // made each search 10 times dearer after many changes, until a vacuum
    this.addSql(
      `create index product_search on product using gin (search) with (fastupdate = off)`,
    );
    // the catalogue by name
    this.addSql(`create index product_by_name on product (lower(name::text), id)
      where deleted_at is null`);

    this.addSql(`create table search_word (
      word text collate "C" not null,
      created_at timestamptz not null default now(),
      primary key (word)
    )`);
    // words that resemble one that stands nowhere
    this.addSql(`create index search_word_similar on search_word using gist (word gist_trgm_ops)`);
    // Lexemes come sorted, so that two products made at once do not wait for one another's words.
    this.addSql(`create function product_product_words_fn() returns trigger as
      $$ begin
        insert into search_word (word)
        select lexeme from unnest(tsvector_to_array(new.search)) as lexeme
        where length(lexeme) between 3 and 40
        on conflict do nothing;
        return null;
      end; $$ language plpgsql`);
    this.addSql(`create trigger product_words after insert or update on product
      for each row execute function product_product_words_fn()`);
  }
}
