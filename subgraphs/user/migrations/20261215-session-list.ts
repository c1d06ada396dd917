import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** The times of a session are shown to its user, in milliseconds: they are stored so, and cursors contain one. */
export class Migration20261215SessionList extends Migration {
  override up(): void {
    const columns = ['created_at', 'updated_at', 'expires_at'].map(
      (column) => `alter column ${column}
        type timestamptz(3) using date_trunc('milliseconds', ${column})`,
    );
    this.addSql(`alter table login_session ${noRelease} ${columns.join(', ')}`);
  }
}
