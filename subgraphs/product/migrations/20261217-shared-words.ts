import { Migration } from '@mikro-orm/migrations';

/** Words of which it is known that one product has them; of those that are there, that is not known. */
export class Migration20261217SharedWords extends Migration {
  override up(): void {
    this.addSql(`alter table search_word add column is_shared boolean not null default true`);
  }
}
