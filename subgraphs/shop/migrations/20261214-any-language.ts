import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * What shops and offers are found by is written by the subgraph. Run `npm run rebuild -- search` afterwards: until then
 * searches find no shops, and offers as before.
 */
export class Migration20261214AnyLanguage extends Migration {
  override up(): void {
    this.addSql(`alter table offer ${noRelease} alter column words drop expression,
      alter column words set default '', alter column words set not null`);
    this.addSql(`drop index ${noRelease} shop_words`);
    this.addSql(`alter table shop add column words tsvector not null default ''`);
    // Shops by words of their names.
    this.addSql(
      `create index ${noRelease} shop_words on shop using gin (words) with (fastupdate = off)`,
    );
  }
}
