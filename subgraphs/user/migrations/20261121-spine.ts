import { Migration } from '@mikro-orm/migrations';

/** The tables of the first slice; each index says what it is for. */
export class Migration20261121Spine extends Migration {
  override up(): void {
    this.addSql(`create table user_account (
      id uuid not null,
      name varchar(255) not null,
      email varchar(255),
      phone varchar(20),
      role text not null default 'CUSTOMER',
      password_hash text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    this.addSql(`alter table user_account
      add constraint user_account_phone unique (phone)`);
    // login by e-mail; unique without regard to case
    this.addSql(`create unique index user_account_email on user_account (lower(email))`);
    this.addSql(`alter table user_account
      add constraint user_account_reachable check (email is not null or phone is not null)`);
    this.addSql(`alter table user_account
      add constraint user_account_role check (role in ('CUSTOMER', 'VENDOR', 'ADMIN'))`);
  }
}
