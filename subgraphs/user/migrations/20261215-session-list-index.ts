import { Migration } from '@mikro-orm/migrations';

/** The open sessions of a user, newest use first: `User.sessions`, `logout(everywhere)`, `changePassword`. */
export class Migration20261215SessionListIndex extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(
      `create index concurrently login_session_open on login_session (user_id, updated_at, id)
       where ended_at is null`,
    );
  }
}
