import { Migration } from '@mikro-orm/migrations';

/** Proven e-mail addresses, preferences, and the addresses that orders are sent to. */
export class Migration20261121Accounts extends Migration {
  override up(): void {
    this.addSql(`alter table user_account
      add email_verified boolean not null default false,
      add newsletter boolean not null default true,
      add theme varchar(20) not null default 'light'`);
    this.addSql(`alter table user_account
      add constraint user_account_email_verified check (email is not null or not email_verified)`);
    // An account that had only claimed its address loses it to whoever proves it.
    this.addSql(`alter table user_account drop constraint user_account_reachable`);
    // an admin's search by the beginning of a name
    this.addSql(`create index user_account_name on user_account (lower(name) text_pattern_ops)`);
    this.addSql(`create table address (
      id uuid not null,
      user_id uuid not null,
      street varchar(255),
      city varchar(100),
      state varchar(100),
      zip varchar(20),
      country varchar(100),
      is_default boolean not null default false,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    this.addSql(`alter table address
      add constraint address_user_id_foreign foreign key (user_id) references user_account (id)`);
    // User.addresses
    this.addSql(`create index address_user on address (user_id)`);
    // at most one default
    this.addSql(`create unique index address_default on address (user_id) where is_default`);
  }
}
