import { Migration } from '@mikro-orm/migrations';

/** The tables of the first version. This migration is never edited. */
export class Migration20261127Initial extends Migration {
  override up(): void {
    this.addSql(`create table user_account (
      id uuid primary key,
      name varchar(255) not null,
      email varchar(255),
      email_verified boolean not null default false,
      phone varchar(20),
      role text not null default 'CUSTOMER',
      password_hash text,
      newsletter boolean not null default true,
      theme varchar(20) not null default 'light',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint user_account_phone unique (phone),
      constraint user_account_role check (role in ('CUSTOMER', 'VENDOR', 'ADMIN')),
      constraint user_account_email_verified check (email is not null or not email_verified)
    )`);
    // Login by e-mail address; unique regardless of case.
    this.addSql(`create unique index user_account_email on user_account (lower(email))`);
    // Search by the beginning of a name (admins).
    this.addSql(`create index user_account_name on user_account (lower(name) text_pattern_ops)`);

    this.addSql(`create table address (
      id uuid primary key,
      user_id uuid not null,
      street varchar(255),
      city varchar(100),
      state varchar(100),
      zip varchar(20),
      country varchar(100),
      is_default boolean not null default false,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint address_user_id_foreign foreign key (user_id) references user_account (id)
    )`);
    // User.addresses
    this.addSql(`create index address_user on address (user_id)`);
    // At most one default address per user.
    this.addSql(`create unique index address_default on address (user_id) where is_default`);

    this.addSql(`create table login_session (
      id uuid primary key,
      user_id uuid not null,
      ended_at timestamptz,
      expires_at timestamptz not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint login_session_user_id_foreign foreign key (user_id) references user_account (id)
    )`);
    // The open sessions of a user: logout everywhere, changePassword.
    this.addSql(
      `create index login_session_live on login_session (user_id) where ended_at is null`,
    );
    // Sessions to delete.
    this.addSql(
      `create index login_session_ended on login_session (ended_at) where ended_at is not null`,
    );
    this.addSql(`create index login_session_expires on login_session (expires_at)`);

    this.addSql(`create table refresh_token (
      hash varchar(43) primary key,
      session_id uuid not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      created_at timestamptz not null default now(),
      constraint refresh_token_session_id_foreign
        foreign key (session_id) references login_session (id) on delete cascade
    )`);
    // The tokens of a session: changePassword, pruning of sessions without any.
    this.addSql(`create index refresh_token_session on refresh_token (session_id)`);
    // Pruning.
    this.addSql(`create index refresh_token_expires on refresh_token (expires_at)`);
  }
}
