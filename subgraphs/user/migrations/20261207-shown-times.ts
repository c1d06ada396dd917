import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Times that the API shows are stored in milliseconds, as it shows them. */
export class Migration20261207ShownTimes extends Migration {
  override up(): void {
    for (const column of ['created_at']) {
      this.addSql(`alter table user_account ${noRelease} alter column ${column}
        type timestamptz(3) using date_trunc('milliseconds', ${column})`);
    }
  }
}
