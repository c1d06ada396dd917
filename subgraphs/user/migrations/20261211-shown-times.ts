import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** The time of the last change is shown to the user, in milliseconds: it is stored so, as `created_at` is. */
export class Migration20261211ShownTimes extends Migration {
  override up(): void {
    this.addSql(`alter table user_account ${noRelease} alter column updated_at
      type timestamptz(3) using date_trunc('milliseconds', updated_at)`);
  }
}
