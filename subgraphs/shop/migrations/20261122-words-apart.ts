import { Migration } from '@mikro-orm/migrations';

const apart = (text: string) =>
  String.raw`regexp_replace(normalize(${text}), '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+', ' ', 'g')`;

/** Letters with marks of their own, as those of Hindi and Thai, stay one word. */
export class Migration20261122WordsApart extends Migration {
  override up(): void {
    this.addSql(`drop index offer_words`);
    this.addSql(`alter table offer drop column words`);
    this.addSql(`alter table offer add words tsvector generated always as
      (to_tsvector('simple', ${apart("name || ' ' || sku")})) stored not null`);
    // the search in Shop.offers
    this.addSql(`create index offer_words on offer using gin (words) with (fastupdate = off)`);
    this.addSql(`drop index shop_words`);
    // the search in shops
    this.addSql(`create index shop_words on shop using gin
      (to_tsvector('simple', ${apart('name')}))`);
  }
}
