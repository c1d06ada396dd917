import { Migration } from '@mikro-orm/migrations';

/** `login_session_open` begins with the same column and has the same condition. */
export class Migration20261215SessionListIndexFormer extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('drop index concurrently login_session_live');
  }
}
