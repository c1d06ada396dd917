import { Migration } from '@mikro-orm/migrations';

/** Counts the refresh tokens of a session, which has a limit. */
export class Migration20261207SessionLimits extends Migration {
  override up(): void {
    this.addSql('alter table login_session add refreshes int not null default 0');
  }
}
