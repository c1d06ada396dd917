import { Migration } from '@mikro-orm/migrations';

/** Refresh tokens are deleted with their session, not one by one. */
export class Migration20261207SessionLimitsIndexes extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('drop index concurrently refresh_token_expires');
  }
}
