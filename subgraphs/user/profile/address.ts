import type { Opt } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';
import type { SavedAddress } from '../../contracts/user.js';
import { Retained } from '../../shared/database/retention.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { User } from '../user.js';

@Allow('parent')
@ObjectType({ description: 'A saved shipping address of a user.' })
@Retained({ permanently: 'until its user deletes it' })
@Entity({ tableName: 'address' })
@Index({ name: 'address_user', properties: ['userId'] })
@Index({ name: 'address_updated', properties: ['updatedAt'] })
@Index({
  name: 'address_default',
  expression: 'create unique index address_default on address (user_id) where is_default',
})
export class Address implements SavedAddress {
  @Field(() => UUID, { description: 'The id of the address.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => User, { mapToPk: true, fieldName: 'user_id', index: false })
  userId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the person or company who receives parcels.',
  })
  @Property({ type: 'varchar', length: 255, nullable: true })
  recipient!: string | null;

  @Field(() => String, { nullable: true, description: 'Phone number for the carrier, in E.164.' })
  @Property({ type: 'varchar', length: 20, nullable: true })
  phone!: string | null;

  @Field(() => String, { nullable: true, description: 'Street and number.' })
  @Property({ type: 'varchar', length: 255, nullable: true })
  street!: string | null;

  @Field(() => String, { nullable: true, description: 'City.' })
  @Property({ type: 'varchar', length: 100, nullable: true })
  city!: string | null;

  @Field(() => String, { nullable: true, description: 'State or province.' })
  @Property({ type: 'varchar', length: 100, nullable: true })
  state!: string | null;

  @Field(() => String, { nullable: true, description: 'Postal code.' })
  @Property({ type: 'varchar', length: 20, nullable: true })
  zip!: string | null;

  @Field(() => String, { nullable: true, description: 'Country.' })
  @Property({ type: 'varchar', length: 100, nullable: true })
  country!: string | null;

  @Field(() => Boolean, {
    description: 'Whether it is the user’s default address. Exactly one is.',
  })
  @Property({ type: 'boolean', default: false })
  isDefault!: Opt<boolean>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}
