import { Migration } from '@mikro-orm/migrations';

const apart = (text: string) =>
  String.raw`regexp_replace(normalize(${text}), '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+', ' ', 'g')`;

/** Words that are joined by a slash, a point or the like are searched each by itself. */
export class Migration20261122WordsApart extends Migration {
  override up(): void {
    this.addSql(`drop index product_search`);
    this.addSql(`alter table product drop column search`);
    this.addSql(`alter table product add column search tsvector
      generated always as (
        setweight(to_tsvector('simple', ${apart('name')}), 'A') ||
        setweight(to_tsvector('english', ${apart('name')}), 'A') ||
        setweight(to_tsvector('simple', ${apart('description')}), 'C') ||
        setweight(to_tsvector('english', ${apart('description')}), 'C')) stored`);
    // search by words and beginnings of words
    this.addSql(
      `create index product_search on product using gin (search) with (fastupdate = off)`,
    );
    this.addSql(`insert into search_word (word)
      select distinct lexeme from product, unnest(tsvector_to_array(search)) as lexeme
      where length(lexeme) between 3 and 40
      on conflict do nothing`);
  }
}
