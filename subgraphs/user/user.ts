import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import type { Role } from '../shared/auth/tokens.js';
import { Retained } from '../shared/database/retention.js';
import { enumOf } from '../shared/graphql/enum-of.js';
import { UUID } from '../shared/graphql/scalars.js';
import { Allow } from '../shared/rights/rights.js';

export const RoleEnum = enumOf('Role', 'Role of a user, which decides what the user may do.', {
  CUSTOMER: 'Buys.',
  VENDOR: 'Opens shops, and manages their offers, stock and orders.',
  ADMIN: 'May do what any user may, and manages roles and categories.',
});

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({ description: 'A person with an account.' })
@Retained({ permanently: 'owns orders and shops; no operation deletes one' })
@Entity({ tableName: 'user_account' })
@Index({
  name: 'user_account_email',
  expression: 'create unique index user_account_email on user_account (lower(email))',
})
@Check({ name: 'user_account_role', expression: "role in ('CUSTOMER', 'VENDOR', 'ADMIN')" })
@Index({
  name: 'user_account_name',
  expression: 'create index user_account_name on user_account (name_key text_pattern_ops)',
})
@Check({
  name: 'user_account_email_verified',
  expression: 'email is not null or not email_verified',
})
export class User {
  @Field(() => UUID, { description: 'The id of the user.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => String, { description: 'Display name.' })
  @Property({ type: 'varchar', length: 255 })
  name!: string;

  /** the folded name, for searches; every writer of the name stores it */
  @Property({ type: 'text', default: '' })
  nameKey!: Opt<string>;

  @Property({ type: 'varchar', length: 255, nullable: true })
  email!: string | null;

  /** whether the user has proven to receive mail at the address */
  @Property({ type: 'boolean', default: false })
  emailVerified!: Opt<boolean>;

  /** E.164; stored only once it is proven */
  @Property({ type: 'varchar', length: 20, nullable: true, unique: 'user_account_phone' })
  phone!: string | null;

  @Property({ type: 'text', default: 'CUSTOMER' })
  role!: Role;

  /** argon2id, in PHC string format */
  @Property({ type: 'text', nullable: true })
  passwordHash!: string | null;

  @Property({ type: 'boolean', default: true })
  newsletter!: Opt<boolean>;

  @Property({ type: 'varchar', length: 20, default: 'light' })
  theme!: Opt<string>;

  @Field(() => Date, { description: 'When the user registered.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}
