import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * Search vectors are written by the subgraph. `npm run rebuild -- search` has to run afterwards: until then searches
 * find no shops, and offers by words without accents only.
 */
export class Migration20261214AnyLanguage extends Migration {
  override up(): void {
    this.addSql(`alter table offer ${noRelease} alter column words drop expression,
      alter column words set default '', alter column words set not null`);
    for (const table of ['shop', 'offer', 'variant_name'])
      this.addSql(
        `update ${table} ${noRelease} set name = normalize(name) where name is not nfc normalized`,
      );
    this.addSql(`drop index ${noRelease} shop_words`);
    this.addSql(`alter table shop add column words tsvector not null default ''`);
    // Shops by words of their names.
    this.addSql(
      `create index ${noRelease} shop_words on shop using gin (words) with (fastupdate = off)`,
    );
  }
}
