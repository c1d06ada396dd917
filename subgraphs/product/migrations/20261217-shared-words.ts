import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * Words of which it is known that one product has them; of those that are there, that is not known. The indexes of
 * words are of those that are not gone.
 */
export class Migration20261217SharedWords extends Migration {
  override up(): void {
    this.addSql(`alter table search_word add column is_shared boolean not null default true`);
    this.addSql(`drop index search_word_similar ${noRelease}`);
    this.addSql(`create index ${noRelease} search_word_similar on search_word using gist (word gist_trgm_ops)
      where doubtful_at is null or is_shared`);
    this.addSql(`create index ${noRelease} search_word_known on search_word (word)
      where doubtful_at is null or is_shared`);
  }
}
