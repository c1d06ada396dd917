import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Users are found with and without accents, after `npm run rebuild -- search`. */
export class Migration20261214FoldedNames extends Migration {
  override up(): void {
    this.addSql(`alter table user_account add column name_key text not null default ''`);
    this.addSql(
      `update user_account ${noRelease} set name = normalize(name), name_key = lower(normalize(name))`,
    );
    this.addSql(`drop index ${noRelease} user_account_name`);
    // Users by the beginning of their name.
    this.addSql(
      `create index ${noRelease} user_account_name on user_account (name_key text_pattern_ops)`,
    );
  }
}
