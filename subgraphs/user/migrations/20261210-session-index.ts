import { Migration } from '@mikro-orm/migrations';

/** Sessions are deleted once their last refresh token has expired, whether or not they were ended before. */
export class Migration20261210SessionIndex extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('drop index concurrently login_session_ended');
  }
}
