import { Migration } from '@mikro-orm/migrations';

/** Sessions, and the refresh tokens that follow each other in each. */
export class Migration20261121Sessions extends Migration {
  override up(): void {
    this.addSql(`create table login_session (
      id uuid not null,
      user_id uuid not null,
      ended_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    this.addSql(`alter table login_session
      add constraint login_session_user_id_foreign foreign key (user_id) references user_account (id)`);
    // logout everywhere, changePassword
    this.addSql(
      `create index login_session_live on login_session (user_id) where ended_at is null`,
    );
    this.addSql(`create table refresh_token (
      hash varchar(43) not null,
      session_id uuid not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      created_at timestamptz not null default now(),
      primary key (hash)
    )`);
    this.addSql(`alter table refresh_token
      add constraint refresh_token_session_id_foreign foreign key (session_id)
      references login_session (id) on delete cascade`);
    // changePassword uses up all of a session; the clean up of sessions looks for any
    this.addSql(`create index refresh_token_session on refresh_token (session_id)`);
    // clean up
    this.addSql(`create index refresh_token_expires on refresh_token (expires_at)`);
  }
}
